"""Serves LiteLLM and hands over to a new configuration without cutting a running stream. Installed by fleetctl; do not edit.

    serve.py HOST PORT          the supervisor: holds the listening socket and one serving worker
    serve.py --worker FD READY  a worker: LiteLLM on the inherited socket; writes a byte to READY once it can answer

LiteLLM reads its configuration when it starts and never again. So a new configuration is a new process: the supervisor starts it on the same
socket, waits until it can answer, and only then asks the old one to stop accepting and to finish what it has begun.

In the directory of this file:
    config.STATE.yaml   one configuration a state of the windows (fleetctl renders them)
    active              the name of the state in force; without it "baseline"
    left-out            machines that get no requests now, a name a line; without it none
    effective.yaml      what the serving worker was given
    serving.json        the state and pid that serve, and since when

SIGHUP: read "active" and "left-out" again and hand over. SIGTERM: stop accepting, finish, end.
Runs under the Python of LiteLLM itself and needs nothing that LiteLLM does not need.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
READY_SECONDS = 180  # a worker that cannot answer by then is given up
DRAIN_SECONDS = 900  # a worker that still has streams by then is killed
STOP_SECONDS = 280  # launchd kills us 300 s after SIGTERM


def say(text):
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + text, file=sys.stderr, flush=True)


def read_lines(name):
    try:
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except FileNotFoundError:
        return []


def write_atomically(name, text):
    handle, path = tempfile.mkstemp(dir=HERE, prefix=".new-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o640)
    os.rename(path, os.path.join(HERE, name))


def wanted():
    """The state in force and the machines left out."""
    return (read_lines("active") or ["baseline"])[0], sorted(set(read_lines("left-out")))


# --- the worker


def effective(state, left_out):
    """The configuration of a state without the machines that are left out.

    A model whose every machine is left out keeps them all: waiting there is better than an answer that there is no such model.
    """
    import yaml

    with open(os.path.join(HERE, "config." + state + ".yaml"), encoding="utf-8") as file:
        config = yaml.safe_load(file)
    entries = config.get("model_list") or []
    kept = {}
    for entry in entries:
        machine = (entry.get("model_info") or {}).get("fleetctl_machine")
        kept.setdefault(entry["model_name"], []).append(machine not in left_out)
    config["model_list"] = [
        entry
        for entry in entries
        if not any(kept[entry["model_name"]])
        or (entry.get("model_info") or {}).get("fleetctl_machine") not in left_out
    ]
    return yaml.safe_dump(config, sort_keys=False)


def work(descriptor, ready):
    import uvicorn

    state, left_out = os.environ["FLEETCTL_STATE"], json.loads(os.environ["FLEETCTL_LEFT_OUT"])
    write_atomically("effective.yaml", effective(state, left_out))
    os.environ["CONFIG_FILE_PATH"] = os.path.join(HERE, "effective.yaml")
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
    def __init__(self, listener, state, left_out):
        self.state, self.left_out = state, left_out
        self.ready, ready = os.pipe()
        environment = dict(os.environ, FLEETCTL_STATE=state, FLEETCTL_LEFT_OUT=json.dumps(left_out))
        descriptor = listener.fileno()
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--worker", str(descriptor), str(ready)],
            pass_fds=[descriptor, ready],
            env=environment,
        )
        os.close(ready)

    def can_answer(self, is_stopping):
        """Waits until it can, or is over, or too late, or nobody wants it any more."""
        import select

        deadline = time.monotonic() + READY_SECONDS
        try:
            while time.monotonic() < deadline and not is_stopping():
                readable, _, _ = select.select([self.ready], [], [], 1)
                if readable:
                    return os.read(self.ready, 1) == b"!"
                if self.process.poll() is not None:
                    return False
            return False
        finally:
            os.close(self.ready)

    def finish(self):
        self.until = time.monotonic() + DRAIN_SECONDS
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Supervisor:
    def __init__(self, listener):
        self.listener = listener
        self.serving = None
        self.draining = []
        self.asked = True
        self.stopping = False

    def hand_over(self):
        state, left_out = wanted()
        if self.serving and (state, left_out) == (self.serving.state, self.serving.left_out) and not self.forced:
            say("nothing to hand over: " + state + " serves")
            return
        worker = Worker(self.listener, state, left_out)
        if not worker.can_answer(lambda: self.stopping):
            worker.kill()
            if self.stopping and self.serving:
                return
            say("the configuration of " + state + " does not start; " + ("the present one goes on" if self.serving else "nothing serves"))
            if not self.serving:
                raise SystemExit(1)
            return
        before, self.serving = self.serving, worker
        serving = {"state": state, "left_out": left_out, "pid": worker.process.pid, "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        write_atomically("serving.json", json.dumps(serving) + "\n")
        say(state + " serves" + (", without " + ", ".join(left_out) if left_out else ""))
        if before:
            before.finish()
            self.draining.append(before)

    def on_signal(self, number, _frame):
        if number == signal.SIGHUP:
            self.asked = True
        else:
            self.stopping = True

    def run(self):
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)
        # A file that was rewritten under the same name is a new configuration as well.
        while not self.stopping:
            if self.asked:
                self.asked = False
                stamp = self.stamp()
                self.forced = stamp != getattr(self, "seen", stamp)
                self.hand_over()
                self.seen = stamp
            if self.serving.process.poll() is not None:
                say("the serving process ended by itself (" + str(self.serving.process.returncode) + ")")
                for worker in self.draining:
                    worker.finish()
                return 1
            self.reap()
            time.sleep(0.2)
        for worker in self.draining + [self.serving]:
            worker.finish()
        self.listener.close()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.draining + [self.serving]:
            try:
                worker.process.wait(timeout=max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
        return 0

    def stamp(self):
        path = os.path.join(HERE, "config." + wanted()[0] + ".yaml")
        try:
            found = os.stat(path)
            return (path, found.st_ino, found.st_size, found.st_mtime_ns)
        except FileNotFoundError:
            return (path,)

    def reap(self):
        for worker in list(self.draining):
            if worker.process.poll() is not None:
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
