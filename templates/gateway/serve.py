"""Serves LiteLLM and hands over to a new configuration without cutting a running stream. Installed by fleetctl; do not edit.

    serve.py HOST PORT          the supervisor: holds the listening socket and one serving worker
    serve.py --worker FD READY  a worker: LiteLLM on the inherited socket; writes a byte to READY once it can answer

LiteLLM reads its configuration when it starts and never again. So a new configuration is a new process: the supervisor starts it on the same
socket, waits until it can answer, and only then asks the old one to stop accepting and to finish what it has begun.

In the directory of this file:
    config.STATE.yaml   one configuration a state of the windows (fleetctl renders them)
    active              the name of the state in force; without it "baseline"
    left-out/MACHINE    the machine gets no requests until the time that stands there (seconds of the epoch): an apply drains it
    effective.yaml      what the serving worker was given
    serving.json        what serves: its state, the hash of its configuration, its pid, since when, without which machines; and the hash of a
                        configuration that would not start

Every few seconds, and on SIGHUP at once: look again and hand over to what is new. SIGTERM: stop accepting, finish, end.
Runs under the Python of LiteLLM itself and needs nothing that LiteLLM does not need.
"""

import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

BASELINE = "baseline"
HERE = os.path.dirname(os.path.abspath(__file__))
READY_SECONDS = 180  # a worker that cannot answer by then is given up
DRAIN_SECONDS = 900  # a worker that still has streams by then is killed
STOP_SECONDS = 280  # launchd kills us 300 s after SIGTERM
STEADY_SECONDS = 60  # a worker that lived that long is replaced; of one that did not, launchd makes a failure
LOOKS = 25  # of 0.2 s: how often it is looked for what has changed without a signal


def say(text):
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + text, file=sys.stderr, flush=True)


def write_atomically(name, text):
    handle, path = tempfile.mkstemp(dir=HERE, prefix=".new-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o640)
    os.rename(path, path_of(name))


def path_of(name):
    return os.path.join(HERE, name)


def read(name):
    """The bytes of a file here; none without it."""
    try:
        with open(path_of(name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def state_in_force():
    return read("active").decode("utf-8", "replace").strip() or BASELINE


def left_out(now):
    """The machines that get nothing now. A note that has run out, or is none, counts for nothing: whoever left it may be gone."""
    found = []
    try:
        names = os.listdir(path_of("left-out"))
    except FileNotFoundError:
        return found
    for name in sorted(names):
        until = read(os.path.join("left-out", name)).strip()
        if until.isdigit() and now < int(until):
            found.append(name)
    return found


class Wanted:
    """What should serve: the configuration of the state in force without the machines that are left out."""

    def __init__(self):
        self.state = state_in_force()
        self.left_out = left_out(time.time())
        self.config = read("config." + self.state + ".yaml")
        if not self.config:
            # A window that is declared no longer.
            self.state, self.config = BASELINE, read("config." + BASELINE + ".yaml")
        # The callback that writes mirrored pairs down is read at start as well.
        self.callback = read("fleetctl_pairs.py")
        self.config_hash = hashlib.sha256(self.config).hexdigest()

    def __eq__(self, other):
        return vars(self) == vars(other)

    def effective(self):
        """The file for LiteLLM. A model whose every machine is left out keeps them all: waiting is better than "there is no such model"."""
        import yaml

        if not self.left_out:
            return self.config.decode()
        config = yaml.safe_load(self.config)
        entries = config.get("model_list") or []

        def stays(entry):
            return (entry.get("model_info") or {}).get("fleetctl_machine") not in self.left_out

        served = {entry["model_name"] for entry in entries if stays(entry)}
        kept = [entry for entry in entries if stays(entry) or entry["model_name"] not in served]
        if kept == entries:
            return self.config.decode()
        return yaml.safe_dump({**config, "model_list": kept}, sort_keys=False)


# --- the worker


def work(descriptor, ready):
    import uvicorn

    os.environ["CONFIG_FILE_PATH"] = path_of("effective.yaml")
    sys.path.insert(0, HERE)

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets=sockets)
            if self.started:
                os.write(ready, b"!")
                os.close(ready)

    config = uvicorn.Config(
        "litellm.proxy.proxy_server:app", log_level="warning", access_log=False, timeout_keep_alive=75, lifespan="on"
    )
    Server(config).run(sockets=[socket.socket(fileno=descriptor)])


# --- the supervisor


class Worker:
    """A process that serves what was wanted when it started."""

    def __init__(self, listener, wanted, text):
        self.wanted, self.text = wanted, text
        self.started = time.monotonic()
        self.until = None
        self.ready, ready = os.pipe()
        descriptor = listener.fileno()
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", str(descriptor), str(ready)],
            pass_fds=[descriptor, ready],
        )
        os.close(ready)

    def can_answer(self, is_stopping):
        """Waits until it can, or is over, or too late, or nobody wants it any more."""
        deadline = self.started + READY_SECONDS
        try:
            while time.monotonic() < deadline and not is_stopping():
                readable, _, _ = select.select([self.ready], [], [], 1)
                if readable:
                    return os.read(self.ready, 1) == b"!"
                if self.has_ended():
                    return False
            return False
        finally:
            os.close(self.ready)

    def has_ended(self):
        return self.process.poll() is not None

    def finish(self):
        """Stops accepting; what has begun goes on, for a while."""
        self.until = time.monotonic() + DRAIN_SECONDS
        if not self.has_ended():
            self.process.send_signal(signal.SIGTERM)

    def kill(self):
        if not self.has_ended():
            self.process.kill()
        self.process.wait()


class Supervisor:
    def __init__(self, listener):
        self.listener = listener
        self.serving = None
        self.draining = []
        self.tried = None
        self.asked = True
        self.stopping = False

    def hand_over(self):
        wanted = self.tried = Wanted()
        if self.serving and wanted == self.serving.wanted:
            self.report(None)
            return
        try:
            text = wanted.effective()
        except Exception as error:  # whatever is wrong with the file: the present one goes on
            say("config." + wanted.state + ".yaml: " + str(error))
            self.refuse(wanted)
            return
        if self.serving and (text, wanted.callback) == (self.serving.text, self.serving.wanted.callback):
            # Another state, or another machine left out, and still the same routes.
            self.serving.wanted = wanted
            self.report(None)
            return
        write_atomically("effective.yaml", text)
        worker = Worker(self.listener, wanted, text)
        if not worker.can_answer(lambda: self.stopping):
            worker.kill()
            if not self.stopping:
                self.refuse(wanted)
            return
        before, self.serving = self.serving, worker
        self.report(None)
        say(wanted.state + " serves" + (", without " + ", ".join(wanted.left_out) if wanted.left_out else ""))
        if before:
            before.finish()
            self.draining.append(before)

    def refuse(self, wanted):
        """A configuration that does not start: the present one goes on; where there is none, launchd tries again."""
        say("the configuration of " + wanted.state + " does not start; " + ("the present one goes on" if self.serving else "nothing serves"))
        self.report(wanted.config_hash)
        if not self.serving:
            raise SystemExit(1)

    def report(self, refused):
        """Writes serving.json: what an apply waits for, and status shows."""
        serving = {"state": None, "config": None, "left_out": [], "pid": None, "since": None, "refused": refused}
        if self.serving:
            since = time.time() - (time.monotonic() - self.serving.started)
            serving.update(
                state=self.serving.wanted.state,
                config=self.serving.wanted.config_hash,
                left_out=self.serving.wanted.left_out,
                pid=self.serving.process.pid,
                since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since)),
            )
        write_atomically("serving.json", json.dumps(serving) + "\n")

    def on_signal(self, number, _frame):
        if number == signal.SIGHUP:
            self.asked = True
        else:
            self.stopping = True

    def run(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)
        # What an earlier process served is nobody's answer any more.
        self.report(None)
        look = 0
        while not self.stopping:
            if self.serving and self.serving.has_ended():
                say("the serving process ended by itself (" + str(self.serving.process.returncode) + ")")
                if time.monotonic() - self.serving.started < STEADY_SECONDS:
                    self.finish()
                    return 1
                self.serving = None
                self.asked = True
            if look % LOOKS == LOOKS - 1 and Wanted() != self.tried:
                self.asked = True
            if self.asked:
                self.asked = False
                self.hand_over()
            self.reap()
            look += 1
            time.sleep(0.2)
        self.finish()
        return 0

    def finish(self):
        """Nothing is accepted any more; all that has begun is finished."""
        workers = self.draining + ([self.serving] if self.serving else [])
        for worker in workers:
            worker.finish()
        self.listener.close()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in workers:
            try:
                worker.process.wait(timeout=max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()

    def reap(self):
        for worker in list(self.draining):
            if worker.has_ended():
                self.draining.remove(worker)
            elif time.monotonic() > worker.until:
                say("a stream of the old configuration does not end: its process is killed")
                worker.kill()
                self.draining.remove(worker)


def main():
    if sys.argv[1] == "--worker":
        work(int(sys.argv[2]), int(sys.argv[3]))
        return 0
    host, port = sys.argv[1], int(sys.argv[2])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    listener.set_inheritable(True)
    return Supervisor(listener).run()


if __name__ == "__main__":
    sys.exit(main())
