"""One running lab: a keeper outside, and inside its own PID namespace an init that boots the hosts and answers.

When the init ends, for whatever reason, the kernel ends every process of the lab and with them its namespaces, mounts
and wires; nothing is ever looked up by name. The keeper ends the init when its owner is gone, and clears the disk.
"""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import time
import traceback

from . import control, faults, host, laptop, linux, netns, omlx, pids, template


def _log_to(path):
    def log(message):
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {message}\n")

    return log


def start(directory, spec, owner=None, timeout=120):
    """Brings a lab up in `directory`; returns once every host answers, or raises RuntimeError with the reason.

    `owner` is a pid: when that process is gone, so is the lab.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True)
    reader, writer = os.pipe()
    if os.fork() == 0:
        code = 1
        try:
            os.close(reader)
            os.setsid()
            if os.fork():
                os._exit(0)
            _detach(directory)
            _keep(directory, spec, owner, writer)
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    os.close(writer)
    os.wait()
    deadline = time.monotonic() + timeout
    answer = b""
    while time.monotonic() < deadline:
        if select.select([reader], [], [], deadline - time.monotonic())[0]:
            piece = os.read(reader, 65536)
            answer += piece
            if not piece or answer.endswith(b"\n"):
                break
    os.close(reader)
    if answer.strip() == b"up":
        return
    log = directory / "keeper.log"
    reason = answer.decode(errors="replace").strip() or f"the lab did not come up in {timeout} s"
    if log.exists():
        reason += "\n" + log.read_text(errors="replace")[-4000:]
    stop(directory)
    raise RuntimeError(reason)


def _detach(directory):
    null = os.open("/dev/null", os.O_RDWR)
    output = os.open(str(directory / "keeper.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number, descriptor in ((0, null), (1, output), (2, output)):
        os.dup2(descriptor, number)
    os.chdir("/")


def _keep(directory, spec, owner, writer):
    linux.name_process("lab-keeper")
    linux.unshare(linux.CLONE_NEWPID)
    init = os.fork()
    if init == 0:
        try:
            linux.die_with_parent(signal.SIGKILL)
            Init(directory, spec, writer).run()
        except BaseException as error:
            traceback.print_exc()
            with contextlib.suppress(OSError):
                os.write(writer, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)
    os.close(writer)
    pids.write(directory, keeper=os.getpid(), init=init)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(init, signal.SIGKILL))
    watched = [os.pidfd_open(init)]
    orphaned = False
    if owner is not None:
        try:
            watched.append(os.pidfd_open(owner))
        except ProcessLookupError:
            os.kill(init, signal.SIGKILL)
    while True:
        try:
            ready, _, _ = select.select(watched, [], [])
            orphaned = watched[0] not in ready
            break
        except InterruptedError:
            continue
    with contextlib.suppress(ProcessLookupError):
        os.kill(init, signal.SIGKILL)
    os.waitpid(init, 0)
    if orphaned:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        _clear(directory)


def _clear(directory):
    # The logs of a lab that died stay until the name is used again; the hosts' disks went with their mounts.
    pids.remove(directory)
    for name in ("lab.json", "control.sock"):
        (directory / name).unlink(missing_ok=True)


def stop(directory):
    """Takes the lab down and removes its directory; a lab that is not up is no error."""
    directory = pathlib.Path(directory)
    running = pids.read(directory)
    for name in ("init", "keeper"):
        if name not in running:
            continue
        pid = running[name]
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if name == "init":
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        select.select([descriptor], [], [], 20)
        os.close(descriptor)
    shutil.rmtree(directory, ignore_errors=True)


class Init:
    """Process 1 of the lab's PID namespace."""

    def __init__(self, directory, spec, writer):
        self.directory = pathlib.Path(directory)
        self.spec = spec
        self.writer = writer
        self.log = _log_to(self.directory / "lab.log")
        self.hosts = {}
        self.lower = self.lower_with_omlx = None
        self.laptop = None

    def run(self):
        """Brings everything up, says so, and serves until killed."""
        linux.name_process("lab-init")
        self.lower = str(template.build())
        if any(item.omlx for item in self.spec.hosts):
            self.lower_with_omlx = f"{omlx.layer()}:{self.lower}"
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
        keys = laptop.make_keys(self.directory, [item.name for item in self.spec.hosts])
        laptop.prepare(self.directory / "laptop", self.spec, keys)
        laptop.enter(self.directory / "laptop")
        netns.make_bridges(self.spec)
        self.laptop = {
            "public_key": keys[""]["public"],
            "host_keys": keys,
            "tailnet": self.spec.tailnet,
            "peers": laptop.peers(self.spec),
        }
        self._boot_all()
        listener = control.listen(self.directory)
        self.wait_for_ssh(self.hosts.values())
        for runtime in self.hosts.values():
            omlx.place_models(
                f"/proc/{runtime.pid}/root", f"/Users/{runtime.spec.user}", runtime.spec.uid, runtime.spec.models
            )
        (self.directory / "lab.json").write_text(json.dumps(self.describe(), indent=1))
        os.write(self.writer, b"up\n")
        os.close(self.writer)
        control.serve(listener, self.answer, self.reap)

    def _boot_all(self):
        starts = []
        for index, spec in enumerate(self.spec.hosts):
            directory = self.directory / "hosts" / spec.name
            directory.mkdir(parents=True)
            runtime = host.HostRuntime(spec, index, str(directory))
            host.mount_disk(runtime)
            runtime.pid, runtime.netns, let_go = host.boot(runtime, self._layers(runtime), self.laptop, self.log)
            self.hosts[spec.name] = runtime
            starts.append(let_go)
        netns.connect([(runtime.index, runtime.pid) for runtime in self.hosts.values()])
        for let_go in starts:
            let_go()

    def _layers(self, runtime):
        return self.lower_with_omlx if runtime.spec.omlx else self.lower

    def wait_for_ssh(self, runtimes, timeout=90):
        """Waits until the hosts greet; raises RuntimeError with the host's log when one does not."""
        deadline = time.monotonic() + timeout
        waiting = list(runtimes)
        while waiting:
            self.reap()
            left = []
            for runtime in waiting:
                if runtime.pid is None:
                    raise RuntimeError(f"host {runtime.spec.name} ended while booting: {self._tail(runtime)}")
                if not answers_ssh(runtime.spec.lan):
                    left.append(runtime)
            waiting = left
            if waiting and time.monotonic() > deadline:
                names = ", ".join(runtime.spec.name for runtime in waiting)
                raise RuntimeError(f"no SSH on {names}: {self._tail(waiting[0])}")
            if waiting:
                time.sleep(0.02)

    def wait_for_process_1(self, runtime, timeout=30):
        """Waits until a booting host's launchd answers."""
        deadline = time.monotonic() + timeout
        while True:
            self.reap()
            try:
                faults.base.launchd_request(runtime, {"verb": "loaded"})
                return
            except (OSError, RuntimeError):
                if runtime.pid is None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _tail(self, runtime):
        try:
            with open(f"{runtime.directory}/host.log", encoding="utf-8", errors="replace") as file:
                text = file.read()[-2000:]
        except OSError:
            text = ""
        with contextlib.suppress(OSError):
            text += (self.directory / "lab.log").read_text()[-2000:]
        return text.strip()

    def describe(self):
        """Returns what `lab env` prints."""
        return {
            "directory": str(self.directory),
            "home": laptop.HOME,
            "home_outside": str(self.directory / "laptop" / "home"),
            "tailnet": self.spec.tailnet,
            "laptop": {"lan": self.spec.laptop_lan, "tailnet_ip": self.spec.laptop_tailnet_ip},
            "hosts": {
                name: {
                    "lan": runtime.spec.lan,
                    "tailnet_ip": runtime.spec.tailnet_ip,
                    "dns_name": f"{name}.{self.spec.tailnet}",
                    "user": runtime.spec.user,
                    "uid": runtime.spec.uid,
                    "home": f"/Users/{runtime.spec.user}",
                    "timezone": runtime.spec.timezone,
                    "chip": runtime.spec.chip,
                    "memory": runtime.spec.memory,
                    "pid": runtime.pid,
                    "faults": {kind: fault.words for kind, fault in runtime.faults.items()},
                }
                for name, runtime in self.hosts.items()
            },
        }

    def reap(self):
        """Collects ended children; a host whose process 1 ended by itself stays down."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for runtime in self.hosts.values():
                if runtime.pid == pid:
                    runtime.pid = None
                    self.log(f"{runtime.spec.name}: process 1 ended with status {status}")

    def answer(self, request):
        """Carries out one request of the command line."""
        verb = request["verb"]
        if verb == "describe":
            return self.describe()
        if verb == "wire":
            return {
                name: runtime.faults["delay"].counts()
                for name, runtime in self.hosts.items()
                if "delay" in runtime.faults
            }
        runtime = self.hosts.get(request.get("host"))
        if runtime is None:
            raise ValueError(f"no host {request.get('host')!r}; hosts: {', '.join(self.hosts)}")
        return faults.carry_out(self, runtime, request)

    def halt(self, runtime):
        """Ends the host's process 1 and everything on it."""
        if runtime.pid is None:
            return
        os.kill(runtime.pid, signal.SIGKILL)
        os.waitpid(runtime.pid, 0)
        runtime.pid = None

    def start_host(self, runtime):
        """Boots a halted host again, with its disk and its wires."""
        runtime.pid, _, let_go = host.boot(runtime, self._layers(runtime), self.laptop, self.log)
        let_go()


def answers_ssh(address, timeout=0.5):
    """Says whether an SSH server greets at the address."""
    try:
        with socket.create_connection((address, 22), timeout) as connection:
            connection.settimeout(timeout)
            return connection.recv(4).startswith(b"SSH-")
    except OSError:
        return False
