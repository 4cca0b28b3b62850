"""Facts 6.3, 6.4, 7.4, 7.5, 8, 11.2: bodies, streams, DFlash, stopping."""

from __future__ import annotations

import json
import signal
import socket
import subprocess

from .harness import GIB, KEY, Box, Server, equal, fact, wait_until

STATUS_KEYS = [
    "status", "version", "uptime_seconds", "models_discovered", "models_loaded", "models_loading", "default_model",
    "loaded_models", "total_requests", "active_requests", "waiting_requests", "total_prompt_tokens", "total_completion_tokens",
    "total_cached_tokens", "cache_efficiency", "avg_prefill_tps", "avg_generation_tps", "model_memory_used", "model_memory_max",
    "model_memory_used_formatted", "model_memory_max_formatted",
]  # fmt: skip
MODEL_KEYS = [
    "id", "model_path", "loaded", "is_loading", "estimated_size", "pinned", "engine_type", "model_type", "config_model_type",
    "thinking_default", "preserve_thinking_default", "last_access", "max_context_window", "max_tokens",
]  # fmt: skip
USAGE_KEYS = [
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "prompt_tokens_details",
    "time_to_first_token", "total_time", "prompt_eval_duration", "generation_duration", "prompt_tokens_per_second",
    "generation_tokens_per_second",
]  # fmt: skip


def one_model(box: Box, **settings) -> Server:
    box.model("a")
    box.settings()
    if settings:
        box.model_settings(a=settings)
    return box.start()


@fact("6.4", "the keys of /api/status, of a model's status and of /v1/models, in order", both=True)
def bodies(box: Box) -> None:
    server = one_model(box)
    equal([key for key in server.status() if key in STATUS_KEYS], STATUS_KEYS)
    status = server.model_status("a")
    equal([key for key in status if key in MODEL_KEYS], MODEL_KEYS)
    wanted = {"thinking_default": True, "config_model_type": "qwen3", "engine_type": "batched", "last_access": None}
    equal({key: status[key] for key in wanted}, wanted)
    listed = server.get("/v1/models").json()
    equal((listed["object"], [*listed["data"][0]][:4]), ("list", ["id", "object", "created", "owned_by"]))


@fact("6.4", "0.3.8 has no further keys, and max_model_memory in /health")
def exact_bodies(box: Box) -> None:
    server = one_model(box)
    equal(list(server.status()), STATUS_KEYS)
    equal(list(server.model_status("a")), MODEL_KEYS)
    equal(list(server.get("/v1/models").json()["data"][0]), ["id", "object", "created", "owned_by"])
    health = server.get("/health").json()
    equal((list(health), health["engine_pool"]["max_model_memory"]), (["status", "default_model", "engine_pool", "mcp"], int(50.4 * GIB)))


@fact("6.3", "unload: 404 unknown, 400 not loaded, 200 by id", both=True)
def unload(box: Box) -> None:
    server = one_model(box)
    unknown, idle = server.ask("POST", "/v1/models/nope/unload"), server.ask("POST", "/v1/models/a/unload")
    equal((unknown.status, unknown.json()["error"]["message"]), (404, "Model not found: nope"))
    equal((idle.status, idle.json()["error"]["message"]), (400, "Model not loaded: a"))
    equal(server.chat("a").status, 200)
    done = server.ask("POST", "/v1/models/a/unload")
    equal((done.status, done.json()), (200, {"status": "ok", "model_id": "a"}))


@fact("6.3", "POST /v1/models/{id}/load does not exist: 404")
def no_load(box: Box) -> None:
    answer = one_model(box).ask("POST", "/v1/models/a/load")
    equal((answer.status, answer.json()), (404, {"detail": "Not Found"}))


@fact("6.3", "unknown paths 404, other methods 405, bad JSON and missing fields 422, in their shapes", both=True)
def errors(box: Box) -> None:
    server = one_model(box)
    equal(server.get("/v1/nonsense").json(), {"detail": "Not Found"})
    equal(server.ask("POST", "/health").json(), {"detail": "Method Not Allowed"})
    bad = server.ask("POST", "/v1/chat/completions", b"{bad")
    equal((bad.status, bad.json()["error"]["message"]), (422, "body -> 1: JSON decode error"))
    missing = server.ask("POST", "/v1/chat/completions", {"model": "a"})
    equal((missing.status, missing.json()["error"]["param"]), (422, "messages"))
    form = server.ask("POST", "/v1/chat/completions", b'{"model":"a"}', headers={"Content-Type": "application/x-www-form-urlencoded"})
    equal(form.status, 422, "a body that does not say it is JSON")


@fact("6.3", "a non-streaming answer is chunked and begins with a space", both=True)
def padded(box: Box) -> None:
    answer = one_model(box).chat("a")
    equal((answer.status, answer.headers.get("transfer-encoding"), answer.body[:2]), (200, "chunked", b" {"))
    equal(answer.json()["usage"]["completion_tokens"], 3)


@fact("11.2", "…and its usage has the timings as null")
def null_timings(box: Box) -> None:
    usage = one_model(box).chat("a").json()["usage"]
    equal((list(usage), usage["total_time"]), (USAGE_KEYS, None))


@fact("11.2", "a stream with include_usage ends in a chunk without choices that has the usage, then [DONE]", both=True)
def usage(box: Box) -> None:
    server = one_model(box)
    lines = server.chat("a", stream=True, stream_options={"include_usage": True}).text.split("\n\n")
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    equal((events[-1]["choices"], [*events[-1]["usage"]][:12]), ([], USAGE_KEYS))
    equal(events[-1]["usage"]["completion_tokens"], 3)
    equal(events[-2]["choices"][0]["finish_reason"], "length")
    equal(lines[-2], "data: [DONE]")


@fact("11.2", "the first line of a stream is `: keep-alive`")
def keep_alive_comment(box: Box) -> None:
    equal(one_model(box).chat("a", stream=True).text.startswith(": keep-alive\n\n"), True)


@fact("6.4", "the counters are exact: each answer once, an embedding too, an aborted stream never", both=True)
def counters(box: Box) -> None:
    box.model("vectors", kind="embedding")
    server = one_model(box)
    for _ in range(3):
        equal(server.chat("a").status, 200)
    equal(server.ask("POST", "/v1/embeddings", {"model": "vectors", "input": ["x", "y"]}).status, 200)
    server.chat("a", stream=True)
    if box.contract:
        box.faults(tokens_per_second=20)
    stream = server.stream("a")
    equal(server.status()["active_requests"], 1)
    stream.close()
    wait_until(lambda: server.status()["active_requests"] == 0, "the aborted request is gone", 8)
    equal(server.status()["total_requests"], 5)


@fact("6.3", "an embedding model gives vectors and refuses chat, and the other way round", both=True)
def embeddings(box: Box) -> None:
    box.model("vectors", kind="embedding")
    server = one_model(box)
    answer = server.ask("POST", "/v1/embeddings", {"model": "vectors", "input": ["x", "y", "x"]}).json()
    first, second, third = (one["embedding"] for one in answer["data"])
    # The real server computes the three in one batch, whose rows differ in the last digits.
    distance = [max(abs(one - other) for one, other in zip(first, them)) for them in (third, second)]
    equal((len(first), distance[0] < 1e-4, distance[1] < 1e-4), (64, True, False))
    chat, embed = server.chat("vectors"), server.ask("POST", "/v1/embeddings", {"model": "a", "input": "x"})
    equal((chat.status, embed.status), (400, 400))
    equal("is not an LLM / chat model" in chat.text and "is not an embedding model" in embed.text, True)
    equal(server.ask("POST", "/v1/embeddings", {"model": "vectors", "input": []}).status, 400)


@fact("8.2", "max_context_window refuses a longer prompt with 400", both=True)
def context_window(box: Box) -> None:
    answer = one_model(box, max_context_window=64).chat("a", "word " * 400)
    equal(answer.status, 400)
    equal("exceeds max context window of 64 tokens" in answer.text, True, answer.text)


@fact("8.2", "thinking: settings under the request, unless the key is forced", both=True)
def thinking(box: Box) -> None:
    box.model("free")
    box.settings()
    box.model("bound")
    box.model_settings(free={"enable_thinking": False}, bound={"enable_thinking": False, "forced_ct_kwargs": ["enable_thinking"]})
    server = box.start()
    on = {"chat_template_kwargs": {"enable_thinking": True}}
    if box.contract:
        thinks = [b"reasoning_content" in server.chat(name, tokens=8, **more).body for name, more in (("free", {}), ("free", on), ("bound", on))]
        equal(thinks, [False, True, False])
    # The template writes an empty thought when thinking is off, so the prompt is longer.
    tokens = [server.chat(name, **more).json()["usage"]["prompt_tokens"] for name, more in (("free", {}), ("free", on), ("bound", on))]
    if not box.contract:
        equal((tokens[0] > tokens[1], tokens[0] == tokens[2]), (True, True), f"prompt tokens {tokens}")


@fact("7.4", "a stream whose model is unloaded never ends: no more text, no [DONE], no close", both=True)
def endless(box: Box) -> None:
    server = one_model(box)
    if box.contract:
        box.faults(tokens_per_second=200)
    stream = server.stream("a")
    equal(server.ask("POST", "/v1/models/a/unload").status, 200)
    rest, ended = stream.drain(2.0)
    equal((ended, b"[DONE]" in rest), (False, False))
    equal(server.status()["active_requests"], 0, "and it is not counted")
    stream.close()


@fact("7.5", "SIGTERM waits for a stream for ever, a second one does nothing, SIGINT ends it at once", both=True)
def stopping(box: Box) -> None:
    server = one_model(box)
    if box.contract:
        box.faults(tokens_per_second=50)
    stream = server.stream("a")
    for _ in range(2):
        server.signal(signal.SIGTERM)
        try:
            server.wait(1.2)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError("it did not wait for the stream")
    wait_until(lambda: not server.is_open(), "the port is closed")
    server.signal(signal.SIGINT)
    server.wait(5)
    equal("Application shutdown complete" in server.output(), False, "the shutdown is skipped")
    stream.close()


@fact("7.5", "idle, SIGTERM ends it within a second or two, after a full shutdown", both=True)
def idle_stop(box: Box) -> None:
    server = one_model(box)
    equal(server.chat("a").status, 200)
    status = server.stop()
    equal(status in (-signal.SIGTERM, 143), True, f"status {status}")
    equal("Application shutdown complete" in server.output(), True)


@fact("7.5", "an idle connection is closed after five seconds", both=True)
def idle_connection(box: Box) -> None:
    import time

    server = one_model(box)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: lab\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += client.recv(65536)
        started = time.monotonic()
        equal(client.recv(1), b"", "closed by the server")
    equal(4 < time.monotonic() - started < 7, True, "after about 5 s")


@fact("5.2", "a taken port: the pinned models are loaded first, then Errno 48 and exit 1")
def taken_port(box: Box) -> None:
    box.model_settings(a={"is_pinned": True})
    one_model(box)
    box.model_settings(a={"is_pinned": True})
    status, output = box.run("serve", "--base-path", str(box.base))
    equal(status, 1)
    equal(0 < output.find("Loaded model: a") < output.find("[Errno 48]"), True, output[-500:])


# --- DFlash


def dflash(box: Box, **environment: str) -> Server:
    draft = box.model("draft", kind="draft").rename(box.directory / "draft")
    box.model("a")
    box.settings()
    box.model_settings(a={"dflash_enabled": True, "dflash_draft_model": str(draft)})
    box.faults(tokens_per_second=20)
    return box.start(**environment)


@fact("8.1", "DFlash: one request at a time, never counted, engine_type stays batched, finish_reason stop, no stop words")
def dflash_path(box: Box) -> None:
    server = dflash(box)
    stream = server.stream("a")
    status = server.status()
    equal((status["active_requests"], status["waiting_requests"]), (0, 0))
    equal(server.model_status("a")["engine_type"], "batched")
    try:
        server.ask("POST", "/v1/completions", {"model": "a", "prompt": "x", "max_tokens": 1}, seconds=0.7)
    except (TimeoutError, socket.timeout):
        pass
    else:
        raise AssertionError("a second request was answered beside the first")
    stream.close()
    answer = server.chat("a", tokens=4, stop=[" "], chat_template_kwargs={"enable_thinking": False}).json()
    equal((answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]), ("stop", 4))


@fact("8.1", "a prompt of DFLASH_MAX_CTX tokens ends DFlash until the model is loaded again")
def dflash_limit(box: Box) -> None:
    server = dflash(box, DFLASH_MAX_CTX="100")

    def finish() -> str:
        return server.chat("a", tokens=2).json()["choices"][0]["finish_reason"]

    equal(finish(), "stop", "on DFlash")
    equal(server.chat("a", "long prompt " * 60, tokens=2).status, 200)
    equal("DFlash context fallback" in server.output(), True)
    equal(finish(), "length", "on the normal engine now, for short prompts too")
    server.ask("POST", "/v1/models/a/unload")
    equal(finish(), "stop", "loaded again")


@fact("8.1", "a draft that cannot be loaded: the normal engine, and only the log says so")
def dflash_failure(box: Box) -> None:
    box.model("a")
    box.settings()
    box.model_settings(a={"dflash_enabled": True, "dflash_draft_model": "z-lab/Nowhere-DFlash"})
    server = box.start()
    equal(server.chat("a", tokens=2).json()["choices"][0]["finish_reason"], "length")
    equal("Falling back to batched engine" in server.output(), True)


@fact("8.1", "a busy DFlash model can be evicted in the middle of its answer")
def dflash_victim(box: Box) -> None:
    server = dflash(box)
    stream = server.stream("a")
    server.put("a", ttl_seconds=1)
    wait_until(lambda: server.loaded() == [], "the TTL takes it", 5)
    _, ended = stream.drain(1.0)
    equal(ended, False)
    stream.close()


@fact("7.5", "HTTP/1.1 keep-alive serves many requests on one connection", both=True)
def keep_alive(box: Box) -> None:
    import http.client

    server = one_model(box)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/api/status", headers={"x-api-key": KEY})
        equal(connection.getresponse().read()[:15], b'{"status":"ok",')
    connection.close()
