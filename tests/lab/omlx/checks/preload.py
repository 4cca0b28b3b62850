"""Starts real servers from a process that has already imported the slow libraries.

Importing transformers and FastAPI is 1.5 of the 2 s that a real server needs to start; with sixty starts on two cores that is
most of the self-test. A fork server imports them once and each server forks off it. oMLX itself and mlx are imported after
the fork (mlx keeps threads), by oMLX's own `main`, so what runs is the server as installed.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys

CONTEXT = multiprocessing.get_context("forkserver")

LIBRARIES = (
    "transformers", "transformers.processing_utils", "transformers.image_processing_utils", "fastapi", "uvicorn", "httpx",
    "huggingface_hub", "huggingface_hub.hf_api", "numpy", "tokenizers", "openai_harmony", "jinja2", "itsdangerous", "psutil", "requests",
)  # fmt: skip

if os.environ.get("LAB_OMLX_PRELOAD"):
    os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
    for _name in LIBRARIES:
        __import__(_name)
    import transformers

    transformers.AutoTokenizer  # noqa: B018 - the attribute imports what mlx_lm asks for
    del os.environ["TRANSFORMERS_VERBOSITY"]


def prepare() -> None:
    """Makes the fork server; before any thread exists."""
    os.environ["LAB_OMLX_PRELOAD"] = "1"
    CONTEXT.set_forkserver_preload(["checks.preload"])
    multiprocessing.forkserver.ensure_running()
    del os.environ["LAB_OMLX_PRELOAD"]


_PR_SET_PDEATHSIG = 1


def _serve(arguments: list[str], environment: dict[str, str], log: str) -> None:
    # The fork server ends when the self-test does, however that ended; its servers then end with it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["omlx", *arguments]
    from omlx.cli import main

    sys.exit(main())


class Forked:
    """A server off the fork server, with the part of Popen's interface that the harness uses."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: str) -> None:
        self._process = CONTEXT.Process(target=_serve, args=(arguments, environment, log), daemon=True)
        self._process.start()

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("omlx", seconds)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
