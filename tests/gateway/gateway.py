"""A gateway in a directory of its own, for a test: templates/gateway/serve.py over the stub."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATES = HERE.parents[1] / "templates/gateway"
PATIENCE = 60


def config(*entries, **more):
    """A configuration with MODEL@MACHINE entries. JSON is YAML."""
    pairs = [entry.split("@") for entry in entries]
    models = [{"model_name": name, "model_info": {"fleetctl_machine": machine}} for name, machine in pairs]
    return json.dumps({"model_list": models, **more})


def until(level, what):
    """Waits for a level, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = level()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.02)


class Gateway:
    """A supervisor with its directory."""

    def __init__(self, **configs):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gateway-"))
        shutil.copy(TEMPLATES / "serve.py", self.directory)
        for state, text in configs.items():
            self.write(f"config.{state}.yaml", text)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = open(self.directory / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-B", self.directory / "serve.py", "127.0.0.1", str(self.port)],
            env={**os.environ, "PYTHONPATH": str(HERE / "stub"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=self.log, stderr=self.log, start_new_session=True,
        )

    def close(self):
        """Ends whatever it started: the session is this test's own."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)

    def write(self, name, text):
        """Replaces a file by a rename, as the runner does."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        new = self.directory / f".{path.name}.new"
        new.write_text(text, encoding="utf-8")
        os.rename(new, path)

    def signal(self, number):
        self.process.send_signal(number)

    def serving(self):
        """serving.json; empty before it is there."""
        try:
            return json.loads((self.directory / "serving.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def serves(self, **wanted):
        """Waits until serving.json says so, and returns it."""
        def level():
            found = self.serving()
            return found if found.get("pid") and all(found.get(key) == value for key, value in wanted.items()) else None

        return until(level, f"serving {wanted}; it is {self.serving()}")

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self):
        """The answer of whoever accepts."""
        connection = self.connect()
        try:
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stream(self):
        """A stream that has begun."""
        connection = self.connect()
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.read(5) == b"begun"
        return answer
