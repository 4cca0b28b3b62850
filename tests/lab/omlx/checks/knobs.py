"""The lab's own promises: the fault knobs of the contract server (module `faults`), and determinism."""

from __future__ import annotations

import http.client
import socket
import time

from .harness import Box, Server, equal, fact


def one_model(box: Box) -> Server:
    box.model("a")
    box.settings()
    return box.start()


@fact("lab", "crash_at_start ends with exit_code and touches no file")
def crash_at_start(box: Box) -> None:
    box.settings(auth={"secret_key": None})
    before = (box.base / "settings.json").read_bytes()
    box.faults(crash_at_start=True, exit_code=7)
    equal(box.run("serve", "--base-path", str(box.base))[0], 7)
    equal((box.base / "settings.json").read_bytes(), before)


@fact("lab", "hang_at_start never opens the port, and stops on SIGTERM")
def hang_at_start(box: Box) -> None:
    box.model("a")
    box.settings()
    box.faults(hang_at_start=True)
    server = box.start(wait=False)
    time.sleep(0.6)
    equal((server.is_open(), server.process.poll()), (False, None))
    server.stop()


@fact("lab", "hang, status, garbage, truncate, reset, slow_ms and first_byte_ms take effect at the next request")
def request_faults(box: Box) -> None:
    server = one_model(box)
    box.faults(hang=True)
    try:
        server.get("/health", seconds=0.5)
        raise AssertionError("it answered")
    except (TimeoutError, socket.timeout):
        pass
    box.faults(status={"/v1/": 507, "/v1/models": 500, "/admin/api/login": 401})
    equal([server.get(path).status for path in ("/v1/models", "/v1/x", "/health")], [500, 507, 200])
    box.faults(garbage=["/v1/"])
    answer = server.get("/v1/models")
    equal((answer.status, b"\x1b" in answer.body), (200, True))
    for knob in ({"truncate": True}, {"reset": True}):
        box.faults(**knob)
        try:
            server.get("/v1/models")
            raise AssertionError(f"{knob} gave a whole answer")
        except (http.client.HTTPException, ConnectionError):
            pass
    for knob in ({"slow_ms": 300}, {"first_byte_ms": 300}):
        box.faults(**knob)
        started = time.monotonic()
        equal(server.get("/health").status, 200)
        equal(time.monotonic() - started >= 0.3, True, str(knob))
    box.faults()
    equal(server.get("/v1/models").status, 200)


@fact("lab", "crash_after_requests, fail_load, hostile_models, release, answers")
def other_faults(box: Box) -> None:
    server = one_model(box)
    box.faults(fail_load=["a"])
    equal((server.chat("a").status, server.load("a").status), (500, 500))
    box.faults(hostile_models=["\x1b[2J\x1b]0;x\x07"], release="9.9.9", answers={"a": "forty two"})
    equal(server.get("/v1/models").json()["data"][-1]["id"], "\x1b[2J\x1b]0;x\x07")
    equal(server.status()["version"], "9.9.9")
    answer = server.chat("a", tokens=9, chat_template_kwargs={"enable_thinking": False}).json()
    equal(answer["choices"][0]["message"]["content"], "forty two")
    box.faults(crash_after_requests=1, exit_code=9)
    try:
        server.get("/health")
    except (http.client.HTTPException, ConnectionError):
        pass
    equal(server.wait(), 9)


@fact("lab", "answers and vectors depend on name, prompt and weights alone")
def deterministic(box: Box) -> None:
    box.model("vectors", kind="embedding")
    (box.models / "vectors-2").symlink_to(box.models / "vectors")
    box.model("b")
    server = one_model(box)

    def said(model: str, text: str) -> str:
        return server.chat(model, text, tokens=12).json()["choices"][0]["message"]["content"]

    equal((said("a", "x") == said("a", "x"), said("a", "x") == said("a", "y"), said("a", "x") == said("b", "x")), (True, False, False))
    vectors = [
        server.ask("POST", "/v1/embeddings", {"model": name, "input": "x"}).json()["data"][0]["embedding"]
        for name in ("vectors", "vectors-2")
    ]
    equal(vectors[0] == vectors[1], True, "two names of the same weights")
