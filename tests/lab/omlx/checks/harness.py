"""Registration of checks, and a box in which one server runs: its files, its process, a client."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "omlx-0.3.8"))

import make_models  # noqa: E402

from .preload import Forked  # noqa: E402

CONTRACT, FLYTO = "0.3.8", "flyto-0.7.0"
KEY = "lab-key-0123456789"
SECRET = "5e" * 32
GIB = 1024**3


@dataclass
class Check:
    """One registered fact."""

    section: str
    text: str
    both: bool
    function: object


CHECKS: list[Check] = []


def fact(section: str, text: str, *, both: bool = False):
    """Registers a check of one fact; `both` runs it against the real server too."""

    def register(function):
        CHECKS.append(Check(section, text, both, function))
        return function

    return register


def equal(found, wanted, what: str = "value") -> None:
    """Asserts equality and shows both sides."""
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


_port_lock = threading.Lock()
_next_port = 20000 + os.getpid() % 5000


def free_port() -> int:
    """A port that no other box of this run gets."""
    global _next_port
    with _port_lock:
        while True:
            _next_port += 1
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", _next_port))
                except OSError:
                    continue
                return _next_port


def wait_until(condition, what: str, seconds: float = 10.0):
    """Polls a level until it holds; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class Box:
    """A base directory, a models directory, and at most a few server processes."""

    real_models: Path | None = None
    open: set[Box] = set()
    """The boxes of checks that are running."""

    def __init__(self, release: str, directory: Path) -> None:
        self.release = release
        self.directory = directory
        self.base = directory / "base"
        self.models = directory / "models"
        self.control = directory / "control"
        self.port = free_port()
        self.servers: list[Server] = []
        for one in (self.base, self.models, self.control):
            one.mkdir(parents=True)
        Box.open.add(self)

    @property
    def contract(self) -> bool:
        return self.release == CONTRACT

    # --- Files

    def settings(self, **sections) -> None:
        """settings.json that a start leaves alone: key, secret and aliases are set. A section given as a dict is merged."""
        document: dict = {
            "server": {"host": "127.0.0.1", "port": self.port, "server_aliases": ["lab"]},
            "model": {"model_dirs": [str(self.models)]},
            "auth": {"api_key": KEY, "secret_key": SECRET},
        }
        for name, section in sections.items():
            document[name] = {**document.get(name, {}), **section} if isinstance(section, dict) else section
        self.write("settings.json", document)

    def write(self, name: str, document) -> Path:
        path = self.base / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    def read(self, name: str):
        return json.loads((self.base / name).read_text(encoding="utf-8"))

    def model_settings(self, **models) -> None:
        self.write("model_settings.json", {"version": 1, "models": models})

    def model(self, name: str, kind: str = "llm", *, size: int | None = None, template: str = "llm") -> Path:
        """A model under `models/NAME`; real weights for the real server."""
        target = self.models / name
        if self.contract:
            option = f",size={size}" if size is not None else ""
            make_models.write_model(self.models, f"{kind}={name}{option}", hollow=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.real_models / kind, target)
        return target

    def faults(self, **knobs) -> None:
        path = self.control / f"{self.port}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(knobs), encoding="utf-8")
        temporary.replace(path)

    # --- Processes

    def command(self, *arguments: str) -> list[str]:
        if self.contract:
            return [sys.executable, "-I", "-S", str(HERE / "omlx-0.3.8" / "omlx"), *arguments]
        return [sys.executable, str(Path(sys.executable).parent / "omlx"), *arguments]

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        lab = {"LAB_OMLX_CONTROL": str(self.control), "LAB_OMLX_MEMSIZE": str(64 * GIB), "LAB_OMLX_WIRED": str(self.directory / "wired")}
        return {**kept, **lab, "HOME": str(self.directory), "PYTHONUNBUFFERED": "1", **extra}

    def run(self, *arguments: str, seconds: float = 30, **environment: str) -> tuple[int, str]:
        """Runs a command to its end; status and everything it printed."""
        values, log = self.environment(**environment), self.directory / "run.log"
        if self.contract or arguments[0] != "serve":
            with open(log, "wb") as output:
                done = subprocess.run(
                    self.command(*arguments), env=values, stdout=output, stderr=subprocess.STDOUT, timeout=seconds, check=False
                )
            return done.returncode, log.read_text(errors="replace")
        forked = Forked(list(arguments), values, str(log))
        try:
            return forked.wait(seconds), log.read_text(errors="replace")
        finally:
            forked.kill()

    def start(self, *arguments: str, wait: bool = True, port: int | None = None, **environment: str) -> Server:
        server = Server(self, arguments, port or self.port, environment)
        self.servers.append(server)
        if wait:
            server.wait_ready()
        return server

    def close(self) -> None:
        Box.open.discard(self)
        for server in self.servers:
            if server.process.poll() is None:
                server.process.kill()
            server.process.wait()


class Server:
    """One running server and a client of it."""

    def __init__(self, box: Box, arguments: tuple[str, ...], port: int, environment: dict[str, str]) -> None:
        self.box = box
        self.port = port
        self.cookie = ""
        self.log = box.directory / f"log-{len(box.servers)}"
        command, values = ["serve", "--base-path", str(box.base), *arguments], box.environment(**environment)
        if box.contract:
            with open(self.log, "wb") as output:
                self.process = subprocess.Popen(box.command(*command), env=values, stdout=output, stderr=subprocess.STDOUT)
        else:
            self.process = Forked(command, values, str(self.log))

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def is_open(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_ready(self, seconds: float = 40.0) -> None:
        def ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.output()[-800:]}")
            return self.is_open()

        wait_until(ready, "the port is open", seconds)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 10.0) -> int:
        return self.process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM and wait; the status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    # --- Client

    def ask(self, method: str, path: str, body=None, *, auth: str | None = "key", headers=None, seconds: float = 20) -> Answer:
        """auth: "key" (bearer), "cookie" (logs in once), None."""
        sent = dict(headers or {})
        if auth == "key":
            sent["Authorization"] = f"Bearer {KEY}"
        elif auth == "cookie":
            sent["Cookie"] = self.login()
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def login(self, key: str = KEY) -> str:
        if not self.cookie:
            answer = self.ask("POST", "/admin/api/login", {"api_key": key}, auth=None)
            equal(answer.status, 200, "login")
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return self.cookie

    def get(self, path: str, **options) -> Answer:
        return self.ask("GET", path, **options)

    def admin(self, method: str, path: str, body=None, **options) -> Answer:
        return self.ask(method, "/admin/api" + path, body, auth="cookie", **options)

    def chat(self, model: str | None, text: str = "hello", *, tokens: int = 3, **more) -> Answer:
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": tokens, **more}
        return self.ask("POST", "/v1/chat/completions", {"model": model, **body} if model else body)

    def status(self) -> dict:
        return self.get("/api/status").json()

    def loaded(self) -> list[str]:
        return self.status()["loaded_models"]

    def model_status(self, model_id: str) -> dict:
        return next(one for one in self.get("/v1/models/status").json()["models"] if one["id"] == model_id)

    def load(self, model_id: str) -> Answer:
        return self.admin("POST", f"/models/{model_id}/load")

    def put(self, model_id: str, **settings) -> Answer:
        return self.admin("PUT", f"/models/{model_id}/settings", settings)

    def stream(self, model: str, *, tokens: int = 100000, text: str = "hello") -> Stream:
        return Stream(self, {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens, "stream": True})


class Stream:
    """An open streaming request on a connection of its own."""

    def __init__(self, server: Server, body: dict) -> None:
        data = json.dumps(body).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self.socket.sendall(head.encode() + data)
        self.received = b""
        # The first piece names the role and may come before the engine has taken the request; the third is text.
        self.read_until(b'"content":', times=3)

    def read_until(self, marker: bytes, times: int = 1) -> None:
        while self.received.count(marker) < times:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the stream ended before {marker!r}: {self.received[-300:]!r}")
            self.received += piece

    def drain(self, seconds: float) -> tuple[bytes, bool]:
        """What arrives until it has been silent for so many seconds, and whether it has ended; talking on is a failure."""
        found, deadline = b"", time.monotonic() + seconds + 10
        self.socket.settimeout(seconds)
        while time.monotonic() < deadline:
            try:
                piece = self.socket.recv(65536)
            except (TimeoutError, socket.timeout):
                return found, b"[DONE]" in found
            except OSError:
                piece = b""
            if not piece:
                return found, True
            found += piece
        raise AssertionError(f"the stream talks on: {found[-200:]!r}")

    def close(self) -> None:
        self.socket.close()
