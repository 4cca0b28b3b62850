"""Faults of the SSH server: what a client meets between the TCP connection and the session."""

import os
import pathlib
import select
import signal
import socket
import time

from .. import inside, laptop
from .base import Fault

_LABEL = "com.openssh.sshd"
_PLIST = "/System/Library/LaunchDaemons/ssh.plist"
_DROP_INS = "/etc/ssh/sshd_config.d"
_PATIENCE = 10


def _wait(condition, what):
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen in {_PATIENCE} s")
        time.sleep(0.01)


class _Listener(Fault):
    """Faults that take the listener's place; running sessions stay."""

    ends_with_boot = True
    stub = None

    def apply(self):
        self.no_arguments()
        self.launchd(verb="bootout", domain="system", label=_LABEL)
        _wait(lambda: f"system/{_LABEL}" not in self.launchd(verb="loaded")["jobs"], "sshd's end")
        serve = self.behaviour()
        if serve is not None:
            self.stub = inside.keep(self.runtime.netns, serve)
            _wait(self._accepts, "the stub's start")

    def behaviour(self):
        """Returns the function that serves port 22 instead, or None."""

    def _accepts(self):
        return inside.run(self.runtime.pid, _port_is_open, ("net",))

    def heal(self):
        if self.stub is not None:
            os.kill(self.stub, signal.SIGKILL)
            os.waitpid(self.stub, 0)
            self.stub = None
        if self.runtime.pid is not None:
            self.launchd(verb="bootstrap", domain="system", paths=[_PLIST])
            _wait(self._accepts, "sshd's start")


def _port_is_open():
    with open("/proc/thread-self/net/tcp", encoding="ascii") as file:
        return any(line.split()[1].endswith(":0016") and line.split()[3] == "0A" for line in list(file)[1:])


class Refuse(_Listener):
    """Nothing listens on port 22."""

    name = "refuse"


def _serve_port_22(greet, close):
    listener = socket.create_server(("0.0.0.0", 22), backlog=64)
    connections = []
    while True:
        ready, _, _ = select.select([listener, *connections], [], [])
        for item in ready:
            if item is listener:
                connection, _ = listener.accept()
                if close:
                    connection.shutdown(socket.SHUT_WR)
                else:
                    connection.sendall(greet)
                connections.append(connection)
            elif not item.recv(65536):
                connections.remove(item)
                item.close()


class BannerStall(_Listener):
    """The connection is accepted and nothing ever comes. `after`: the greeting comes, nothing else."""

    name = "banner-stall"

    def apply(self):
        if self.words not in ([], ["after"]):
            raise ValueError("banner-stall takes nothing or: after")
        self.greet = b"SSH-2.0-OpenSSH_9.9\r\n" if self.words else b""
        self.words = []
        super().apply()

    def behaviour(self):
        return lambda: _serve_port_22(self.greet, close=False)


class Close(_Listener):
    """The connection is accepted and closed at once."""

    name = "close"

    def behaviour(self):
        return lambda: _serve_port_22(b"", close=True)


class _Restart(Fault):
    """Faults in the server's files: the listener is restarted, running sessions stay."""

    def restart(self):
        """Starts the listener again with what now lies on the disk."""
        self.launchd(verb="kickstart", domain="system", label=_LABEL, kill=True, pid=True)
        _wait(lambda: inside.run(self.runtime.pid, _port_is_open, ("net",)), "sshd's restart")

    def root(self, path):
        """Returns a path of the host as this process sees it; only for paths without absolute links."""
        return pathlib.Path(f"/proc/{self.runtime.pid}/root/private{path}")


class ChangedKey(_Restart):
    """The host shows another key."""

    name = "changed-key"

    def apply(self):
        self.no_arguments()
        self._install(laptop.make_keys(self.runtime.directory, [self.spec.name])[self.spec.name])

    def _install(self, key):
        path = self.root("/etc/ssh/ssh_host_ed25519_key")
        path.write_text(key["private"])
        path.with_suffix(".pub").write_text(key["public"])
        self.restart()

    def heal(self):
        self._install(self.instance.laptop["host_keys"][self.spec.name])


class UnknownKey(Fault):
    """The laptop does not know the host's key."""

    name = "unknown-key"

    def apply(self):
        self.no_arguments()
        path = pathlib.Path(laptop.HOME) / ".ssh/known_hosts"
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if self.spec.name not in line.split(" ")[0].split(",")]
        path.write_text("".join(kept))

    def heal(self):
        path = pathlib.Path(laptop.HOME) / ".ssh/known_hosts"
        lines = laptop.known_hosts(self.instance.spec, self.instance.laptop["host_keys"]).splitlines(keepends=True)
        mine = [line for line in lines if line.split(",")[0] == self.spec.name]
        text = path.read_text()
        path.write_text(text + "".join(line for line in mine if line not in text))


class _Config(_Restart):
    """Faults that are a line of the server's configuration."""

    def line(self):
        """Returns the configuration line."""
        raise NotImplementedError

    def _path(self):
        return self.root(f"{_DROP_INS}/000-{self.name}.conf")

    def apply(self):
        line = self.line()
        self._path().write_text(line + "\n")
        self.restart()

    def heal(self):
        self._path().unlink(missing_ok=True)
        self.restart()


class AuthDenied(_Config):
    """The user may not log in."""

    name = "auth-denied"

    def line(self):
        self.no_arguments()
        return f"DenyUsers {self.spec.user}"


class MaxSessions(_Config):
    """So many sessions a connection; default 2."""

    name = "max-sessions"

    def line(self):
        return f"MaxSessions {int(self.words[0]) if self.words else 2}"


class KillSessions(Fault):
    """Ends every SSH connection of the host now, once. What the sessions started is not touched."""

    name = "kill-ssh"
    lasting = False

    def apply(self):
        self.no_arguments()
        self.inside(_kill_sessions)


def _kill_sessions():
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                title = file.read()
            if title.startswith(b"sshd: ") and b"[listener]" not in title:
                os.kill(int(name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
