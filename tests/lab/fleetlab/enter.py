"""Runs commands in the namespaces of a lab's process: on the laptop, or on a host as at its console."""

import os
import select
import signal
import tempfile
import time

from . import linux

_NAMESPACES = ("pid", "mnt", "net", "uts", "ipc")
_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def host_proc(init, pid):
    """Returns the /proc directory of a host's process 1, by the pid that the instance's init knows."""
    return f"/proc/{init}/root/proc/{pid}"


def account(name, home, uid=501):
    """Returns (credentials, environment, directory) of a user of a host."""
    if name == "root":
        user, home, shell = {"uid": 0, "gid": 0, "groups": [0]}, "/var/root", "/bin/sh"
    else:
        user, shell = {"uid": uid, "gid": 20, "groups": [20, 12, 80]}, "/bin/zsh"
    environment = {"HOME": home, "USER": name, "LOGNAME": name, "SHELL": shell, "PATH": _PATH}
    return user, environment, home


def start(proc, command, environment, user=None, directory="/", streams=()):
    """Forks into the namespaces behind `proc` and executes; returns the pid of a process that ends as the command does.

    `streams` are descriptors for standard input, output and error; without them they are this process's own.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 127
    try:
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        descriptors = [os.open(f"{proc}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _NAMESPACES]
        for descriptor in descriptors:
            linux.setns(descriptor)
        child = os.fork()  # a PID namespace holds children only
        if child == 0:
            _execute(command, environment, user, directory)
        code = _follow(child)
    except OSError as error:
        os.write(2, f"lab: {error}\n".encode())
    finally:
        os._exit(code)


def _execute(command, environment, user, directory):
    try:
        linux.die_with_parent(signal.SIGKILL)
        if user is not None:
            os.setgroups(user["groups"])
            os.setgid(user["gid"])
            os.setuid(user["uid"])
        try:
            os.chdir(directory)
        except OSError:
            os.chdir("/")
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(2, f"lab: {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _follow(child):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: os.kill(child, received))
    while True:
        try:
            _, status = os.waitpid(child, 0)
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        except InterruptedError:
            continue


def run(proc, command, environment, user=None, directory="/"):
    """Executes with this process's streams; returns the exit status, 128 + N for a signal."""
    return _follow(start(proc, command, environment, user, directory))


def capture(proc, command, environment, user=None, directory="/", stdin=b"", timeout=60):
    """Executes and returns (stdout, stderr, exit status); a command that takes too long is ended with TimeoutError."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source.write(stdin)
        source.seek(0)
        pid = start(proc, command, environment, user, directory, [file.fileno() for file in (source, out, err)])
        descriptor = os.pidfd_open(pid)
        deadline = time.monotonic() + timeout
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        os.close(descriptor)
        if not ready:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        if not ready:
            raise TimeoutError(f"{command} took more than {timeout} s")
        return out.read(), err.read(), os.waitstatus_to_exitcode(status)
