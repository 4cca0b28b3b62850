"""An application that knows the gateway's address, its key and the names of slots, and nothing else: the openai library, without retries of its own.

Runs on the lab's laptop under LiteLLM's Python. A line of JSON in, a line of JSON out:
    {"slot": "extract-fast", "count": 200, "parallel": 8}      → [{"chose": "SLOT/RANK/MACHINE", "model": …, "seconds": …, "error": null}, …]
    {"slot": "extract-fast", "stream": 900}                    → {"chunks": …, "finish": "length", "seconds": …, "error": null}
    {"slot": "extract-fast", "until": "PATH"}                  → as the first: one request after the other until the file is there
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI

CLIENT = OpenAI(base_url=sys.argv[1], api_key=os.environ["FLEET_GATEWAY_API_KEY"], max_retries=0, timeout=120)
MESSAGES = [{"role": "user", "content": "Say something."}]


def ask(slot):
    started = time.monotonic()
    result = {"chose": None, "model": None, "error": None}
    try:
        if slot.startswith("embed"):
            answer = CLIENT.embeddings.with_raw_response.create(model=slot, input="a text", encoding_format="float")
        else:
            answer = CLIENT.chat.completions.with_raw_response.create(model=slot, messages=MESSAGES, max_tokens=4)
        result["chose"] = answer.headers.get("x-litellm-model-id")
        result["model"] = answer.headers.get("x-litellm-model-name")
        answer.parse()
    except Exception as error:  # what an application would see, whatever it is
        result["error"] = f"{type(error).__name__}: {error}"[:300]
    result["seconds"] = round(time.monotonic() - started, 3)
    return result


def stream(slot, tokens):
    started = time.monotonic()
    result = {"chunks": 0, "finish": None, "error": None}
    try:
        for chunk in CLIENT.chat.completions.create(model=slot, messages=MESSAGES, max_tokens=tokens, stream=True):
            for choice in chunk.choices:
                result["chunks"] += bool(choice.delta.content)
                result["finish"] = choice.finish_reason or result["finish"]
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"[:300]
    result["seconds"] = round(time.monotonic() - started, 3)
    return result


def answer(order):
    if "stream" in order:
        return stream(order["slot"], order["stream"])
    if "until" in order:
        results = []
        while not os.path.exists(order["until"]):
            results.append(ask(order["slot"]))
        return results
    with ThreadPoolExecutor(order.get("parallel", 1)) as pool:
        return list(pool.map(ask, [order["slot"]] * order["count"]))


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
