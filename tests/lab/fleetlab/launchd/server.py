"""The event loop of a host's process 1: requests of launchctl, children that end, deadlines.

The protocol on the socket is one JSON document a connection and one back; the peer's uid comes from the kernel.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import time

from .. import paths
from ..clock import HostClock
from . import errors, report
from .domains import Domain
from .errors import LaunchdError
from .knobs import Knobs

_LOG = "/private/var/log/com.apple.xpc.launchd/launchd.log"
_MAX_REQUEST = 1 << 20


class Launchd:
    """Process 1 of a host."""

    def __init__(self):
        self.knobs = Knobs()
        self.host_clock = HostClock(self.knobs["clock_offset"])
        self.domains = {}
        self.selector = selectors.DefaultSelector()
        self.helpers = {}
        self.pending = []
        self.injected = []
        self.stopping = False

    # --- set-up

    def log(self, message):
        """Appends to launchd's own log; a full disk silences it."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.host_clock.now()))
        try:
            os.makedirs(os.path.dirname(_LOG), exist_ok=True)
            with open(_LOG, "a", encoding="utf-8", errors="replace") as file:
                file.write(f"{stamp}.000000 ({message.partition(':')[0]}) <Notice>: {message}\n")
        except OSError:
            return

    def domain(self, name):
        """Returns a domain that exists; raises 112 or 125 otherwise."""
        kind, _, uid = name.partition("/")
        if name != "system" and (kind not in ("gui", "user") or not uid.isdigit()):
            raise LaunchdError(errors.NO_DOMAIN, name)
        if kind == "gui" and int(uid) not in self.knobs["gui_logins"]:
            raise LaunchdError(errors.NO_DOMAIN if self.knobs["print_flavour"] < 26 else errors.DOMAIN_UNSUPPORTED, name)
        if name not in self.domains:
            self.domains[name] = Domain(name, self.knobs, self.log)
        return self.domains[name]

    def add_helper(self, start):
        """Keeps a process of the lab alive that is no job: `start` forks it and returns its pid."""
        self.helpers[start()] = start

    def run(self):
        """Boots the system domain and serves until told to stop."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(reader, selectors.EVENT_READ, self._drain)
        listener = self._listen()
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        self.domain("system").boot(time.monotonic(), self.host_clock.now())
        while not self.stopping:
            for key, _ in self.selector.select(self._timeout()):
                key.data(key.fileobj)
            self._reap()
            self._tick()

    def _listen(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(paths.LAUNCHD_SOCKET)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(paths.LAUNCHD_SOCKET)
        os.chmod(paths.LAUNCHD_SOCKET, 0o666)
        listener.listen(128)
        return listener

    def _drain(self, reader):
        try:
            while os.read(reader, 4096):
                pass
        except BlockingIOError:
            return

    def _jobs(self):
        return [job for domain in self.domains.values() for job in domain.jobs.values()]

    def _timeout(self):
        now, host_now = time.monotonic(), self.host_clock.now()
        deadline = min((job.deadline(now, host_now) for job in self._jobs()), default=float("inf"))
        return None if deadline == float("inf") else max(0.0, min(deadline - now, 3600.0))

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.helpers:
                self.add_helper(self.helpers.pop(pid))
                continue
            for job in self._jobs():
                if job.pid == pid:
                    job.exited(status, time.monotonic())
                    break

    def _tick(self):
        now, host_now = time.monotonic(), self.host_clock.now()
        for job in self._jobs():
            job.tick(now, host_now)
            if job.gone(now):
                self.log(f"{job.domain.name}/{job.label}: removing service")
                del job.domain.jobs[job.label]

    # --- requests

    def _accept(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(2)
        try:
            _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            request = json.loads(_read_line(connection))
            now, host_now = time.monotonic(), self.host_clock.now()
            answer = self.answer(request, uid, now, host_now)
        except LaunchdError as error:
            answer = {"error": error.number}
        except (OSError, ValueError, KeyError, TypeError) as error:
            answer = {"error": errors.EINVAL, "detail": repr(error)}
        if callable(answer):
            answer(connection)
            return
        _send(connection, answer)

    def answer(self, request, uid, now, host_now):
        """Carries one request out; returns the answer, or a function that will send it later."""
        verb = request["verb"]
        handler = getattr(self, "_do_" + verb.replace("-", "_"))
        if verb in ("knobs", "inject", "loaded"):
            return handler(request, uid, now, host_now)
        number = self._injected(verb, request.get("label"))
        if number is not None:
            raise LaunchdError(number)
        return handler(request, uid, now, host_now)

    def _injected(self, verb, label):
        for fault in self.injected:
            if fault["verb"] in (verb, "*") and fault["count"] > 0 and fault.get("label") in (None, label):
                fault["count"] -= 1
                return fault["code"]
        return None

    def _need(self, domain, uid, number=errors.EPERM):
        if uid not in (0, domain.uid) or (domain.name == "system" and uid != 0):
            raise LaunchdError(number)

    def _do_knobs(self, request, uid, now, host_now):
        self._need(self.domain("system"), uid)
        self.knobs.update(request.get("set", {}))
        self.host_clock.offset = self.knobs["clock_offset"]
        for job in self._jobs():
            if not job.removing:
                job.plan_timers(now, self.host_clock.now())
        return {"error": 0, "knobs": dict(self.knobs)}

    def _do_inject(self, request, uid, now, host_now):
        self._need(self.domain("system"), uid)
        self.injected = request["faults"]
        return {"error": 0}

    def _do_loaded(self, request, uid, now, host_now):
        return {"error": 0, "jobs": {f"{job.domain.name}/{job.label}": job.pid for job in self._jobs()}}

    def _do_bootstrap(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        self._need(domain, uid, errors.EIO)
        results = []
        for path in request["paths"]:
            try:
                if self.knobs["btm_block"]:
                    self.log(f"{path}: 161: {errors.text(161)}")
                    raise LaunchdError(errors.EIO)
                domain.bootstrap(path, now, host_now)
                results.append(0)
            except LaunchdError as error:
                number = errors.EIO if error.number == errors.ENOENT else error.number
                self.log(f"Bootstrap of {path} failed: {error.number}: {errors.text(error.number)}")
                results.append(errors.EIO if self.knobs["bootstrap_collapse_to_5"] else number)
        failed = [number for number in results if number]
        return {"error": failed[0] if failed else 0, "results": results}

    def _do_bootout(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        self._need(domain, uid)
        if request["label"] not in domain.jobs:
            raise LaunchdError(errors.ESRCH)
        job = domain.jobs[request["label"]]
        if job.removing:
            raise LaunchdError(errors.EINPROGRESS)
        self.log(f"{domain.name}/{job.label}: bootout initiated by: launchctl")
        slow = job.pid is not None and self.knobs["bootout_36"]
        job.remove(now)
        if slow:
            raise LaunchdError(errors.EINPROGRESS)
        return {"error": 0}

    def _do_enable(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        self._need(domain, uid)
        domain.set_disabled(request["label"], request["disabled"])
        return {"error": 0}

    _do_disable = _do_enable

    def _do_kickstart(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        job = domain.job(request["label"])
        self._need(domain, uid)
        if job.label.startswith("com.apple.") and job.definition.path.startswith("/System/"):
            raise LaunchdError(errors.SIP)
        if job.removing:
            raise LaunchdError(errors.EALREADY)
        if job.pid is not None and not request["kill"]:
            raise LaunchdError(errors.EALREADY)
        if request["kill"]:
            job.restart(now)
        else:
            job.pended = None
            job.request_start(now, "non-ipc demand", ignore_throttle=not self.knobs["kickstart_throttled"])
        if request["pid"] or request["kill"]:
            return lambda connection: self._answer_when_spawned(job, connection)
        return {"error": 0}

    def _answer_when_spawned(self, job, connection):
        if job.pid is not None and not job.restart_wanted:
            _send(connection, {"error": 0, "pid": job.pid})
        else:
            job.waiting_for_spawn.append(
                lambda pid: _send(connection, {"error": 0 if pid else errors.NO_SERVICE, "pid": pid})
            )

    def _do_kill(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        job = domain.job(request["label"])
        self._need(domain, uid)
        if job.pid is None:
            raise LaunchdError(errors.ESRCH)
        job.send(errors.TO_LINUX.get(request["signal"], request["signal"]))
        return {"error": 0}

    def _do_start(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        job = domain.job(request["label"])
        self._need(domain, uid)
        job.request_start(now, "non-ipc demand")
        return {"error": 0}

    def _do_stop(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        job = domain.job(request["label"])
        self._need(domain, uid)
        job.stop(now)
        return {"error": 0}

    def _do_print(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        if request.get("label") is None:
            disabled = report.disabled_services(domain.disabled, self.knobs["disabled_style"])
            return {"error": 0, "text": report.domain(domain.name, list(domain.jobs.values()), disabled)}
        return {"error": 0, "text": report.service(domain.job(request["label"]), self.knobs["print_flavour"])}

    def _do_print_disabled(self, request, uid, now, host_now):
        domain = self.domain(request["domain"])
        return {"error": 0, "text": report.disabled_services(domain.disabled, self.knobs["disabled_style"])}

    def _do_list(self, request, uid, now, host_now):
        # Root sees the system domain, a user its own.
        domain = self.domain("system" if uid == 0 else f"user/{uid}")
        if request.get("label") is None:
            return {"error": 0, "text": report.table(domain.jobs.values())}
        return {"error": 0, "text": report.legacy(domain.job(request["label"]))}

    def _do_blame(self, request, uid, now, host_now):
        word = report.reason_word(self.domain(request["domain"]).job(request["label"]))
        if word is None:
            raise LaunchdError(errors.ESRCH)
        return {"error": 0, "text": word + "\n"}


def _read_line(connection):
    data = b""
    while not data.endswith(b"\n") and len(data) < _MAX_REQUEST:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def _send(connection, answer):
    try:
        connection.sendall(json.dumps(answer).encode() + b"\n")
    except OSError:
        pass
    finally:
        connection.close()


def request(document, socket_path=paths.LAUNCHD_SOCKET, timeout=60):
    """Sends one request to launchd and returns its answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(socket_path)
        connection.sendall(json.dumps(document).encode() + b"\n")
        return json.loads(_read_line(connection))
