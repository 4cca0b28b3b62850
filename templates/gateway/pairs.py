"""Writes down what both sides of a mirror answered, for `fleetctl shadow import`. Installed by fleetctl; do not edit.

One JSON object a line in pairs.jsonl beside this file (0600: it holds inputs and answers):
    {"id": "…", "at": "…Z", "input": [messages], "reference": SIDE, "local": SIDE}
    SIDE: {"model": "…", "text": "…" or null, "error": "…" or null, "seconds": 1.23}
The id is a hash of the messages. "shadow.NAME" is the reference's model name at the gateway, every other one the fleet's.
"""

import collections
import hashlib
import json
import os
import threading
import time

from litellm.integrations.custom_logger import CustomLogger

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pairs.jsonl")
WAITING = 2000  # sides that wait for their other; the oldest are forgotten
LARGEST = 256 << 20  # bytes; beyond it nothing is added until the file is imported and removed


class Pairs(CustomLogger):
    def __init__(self):
        super().__init__()
        self.waiting = collections.OrderedDict()
        self.lock = threading.Lock()

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.note(kwargs, self.text_of(response_obj), None, start_time, end_time)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        error = kwargs.get("exception")
        self.note(kwargs, None, str(error)[:500] if error else "failed", start_time, end_time)

    @staticmethod
    def text_of(response):
        try:
            return response.choices[0].message.content
        except (AttributeError, IndexError, TypeError):
            return None

    def note(self, kwargs, text, error, start_time, end_time):
        metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
        group = metadata.get("model_group") or ""
        messages = kwargs.get("messages")
        if not isinstance(messages, list) or not group:
            return
        canonical = json.dumps(messages, sort_keys=True, separators=(",", ":"), default=str)
        key = hashlib.sha256(canonical.encode()).hexdigest()
        side = {
            "model": kwargs.get("model"),
            "text": text,
            "error": error,
            "seconds": round((end_time - start_time).total_seconds(), 3),
        }
        name = "reference" if group.startswith("shadow.") else "local"
        with self.lock:
            pair = self.waiting.pop(key, {})
            if name in pair:
                # The same input again before its other side came: each starts a pair of its own.
                pair = {}
            pair[name] = side
            if len(pair) < 2:
                self.waiting[key] = pair
                while len(self.waiting) > WAITING:
                    self.waiting.popitem(last=False)
                return
            self.write(key, messages, pair)

    @staticmethod
    def write(key, messages, pair):
        handle = os.open(PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size > LARGEST:
                return
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            line = {"id": key[:32], "at": at, "input": messages, "reference": pair["reference"], "local": pair["local"]}
            os.write(handle, (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode())
        finally:
            os.close(handle)


pairs = Pairs()
