"""The tool server of a host: one process that runs the imitated commands for `native/client.c`."""

import array
import contextlib
import os
import selectors
import signal
import socket
import struct
import sys
import time

from .. import linux, paths
from . import bsd, registry
from .context import Context

_HEADER = struct.Struct("=III")
_PATIENCE = 5


def _receive(connection):
    """Reads one request: (strings, descriptors, argument count)."""
    rights = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(_HEADER.size, socket.CMSG_LEN(4 * rights.itemsize))
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            rights.frombytes(payload[: len(payload) - len(payload) % rights.itemsize])
    argc, envc, size = _HEADER.unpack(data)
    body = bytearray()
    while len(body) < size:
        piece = connection.recv(min(1 << 16, size - len(body)))
        if not piece:
            raise EOFError("the client left")
        body += piece
    strings = [os.fsdecode(bytes(item)) for item in bytes(body).split(b"\0")[:-1]]
    if len(rights) != 4 or len(strings) != argc + envc:
        raise ValueError("malformed request")
    return strings[:argc], strings[argc:], list(rights)


def _credentials(connection):
    """Returns (pid, uid, gid, groups, umask) of the peer."""
    pid, uid, gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    groups, umask = [gid], 0o022
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("Groups:"):
                    groups = [int(number) for number in line.split()[1:]]
                elif line.startswith("Umask:"):
                    umask = int(line.split()[1], 8)
    except OSError:
        pass
    return pid, uid, gid, groups, umask


class ToolServer:
    """Accepts requests, answers translations itself and forks for served commands."""

    def __init__(self, host):
        self.host = host
        self.selector = selectors.DefaultSelector()
        self.running = {}

    def run(self):
        """Serves for ever."""
        reader, writer = os.pipe()
        for descriptor in (reader, writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(paths.TOOLS_SOCKET)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(paths.TOOLS_SOCKET)
        os.chmod(paths.TOOLS_SOCKET, 0o666)
        listener.listen(256)
        self.selector.register(listener, selectors.EVENT_READ, self._accept)
        self.selector.register(reader, selectors.EVENT_READ, lambda _: self._reap(reader))
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)

    def _accept(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(_PATIENCE)
        descriptors = []
        try:
            arguments, environment, descriptors = _receive(connection)
            self._dispatch(connection, arguments, environment, descriptors)
        except (OSError, ValueError, EOFError, struct.error):
            connection.close()
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _dispatch(self, connection, arguments, environment, descriptors):
        tool = registry.find(arguments[0])
        if tool.translate is not None:
            answer = tool.translate(arguments, descriptors[3], self.host)
            if isinstance(answer, bsd.Exec):
                strings = [answer.program, *answer.arguments, *answer.environment]
                body = b"".join(os.fsencode(item) + b"\0" for item in strings)
                header = _HEADER.pack(1 + len(answer.arguments), len(answer.environment), len(body))
                connection.sendall(b"X" + header + body)
            else:
                os.write(descriptors[2], answer.message.encode())
                connection.sendall(b"E" + bytes([answer.code]))
            connection.close()
            return
        credentials = _credentials(connection)
        pid = os.fork()
        if pid == 0:
            self._serve(tool, arguments, environment, descriptors, credentials)
        self.running[pid] = connection
        self.selector.register(connection, selectors.EVENT_READ, lambda _: self._hung_up(pid))

    def _hung_up(self, pid):
        connection = self.running.get(pid)
        if connection is not None:
            self.selector.unregister(connection)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self, reader):
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection = self.running.pop(pid, None)
            if connection is None:
                continue
            with contextlib.suppress(KeyError):
                self.selector.unregister(connection)
            try:
                if os.WIFSIGNALED(status):
                    connection.sendall(b"S" + bytes([os.WTERMSIG(status)]))
                else:
                    connection.sendall(b"E" + bytes([os.WEXITSTATUS(status)]))
            except OSError:
                pass
            connection.close()

    def _serve(self, tool, arguments, environment, descriptors, credentials):
        code = 70
        try:
            caller, uid, gid, groups, umask = credentials
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            linux.die_with_parent(signal.SIGKILL)
            os.fchdir(descriptors[3])
            for number in range(3):
                os.dup2(descriptors[number], number)
            os.umask(umask)
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
            os.environ.clear()
            os.environ.update(dict(item.split("=", 1) for item in environment if "=" in item))
            time.tzset()
            for stream, number in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
                mode = "r" if stream == 0 else "w"
                setattr(sys, number, open(stream, mode, encoding="utf-8", errors="surrogateescape", closefd=False))
            try:
                code = tool.serve(arguments, Context(self.host, uid, caller)) or 0
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else 1
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            except OSError as error:  # as a Mac's command on a full disk
                code = 1
                os.write(2, f"{os.path.basename(arguments[0])}: stdout: {error.strerror}\n".encode())
        except BaseException as error:  # a bug of the lab: said, never taken for the Mac's own answer
            with contextlib.suppress(OSError):
                os.write(2, f"lab: {arguments[0]}: {type(error).__name__}: {error}\n".encode())
        finally:
            # Whatever happens, this process is no second server.
            os._exit(code & 0xFF)
