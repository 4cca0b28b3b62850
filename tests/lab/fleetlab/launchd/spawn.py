"""Starts one process the way launchd and xpcproxy do; whatever goes wrong before exec ends in exit 78 without a word."""

import grp
import os
import pwd
import resource
import signal

from . import errors
from .definition import STANDARD_PATH

EX_CONFIG = 78
_LIMITS = {
    "Core": resource.RLIMIT_CORE,
    "CPU": resource.RLIMIT_CPU,
    "Data": resource.RLIMIT_DATA,
    "FileSize": resource.RLIMIT_FSIZE,
    "MemoryLock": resource.RLIMIT_MEMLOCK,
    "NumberOfFiles": resource.RLIMIT_NOFILE,
    "NumberOfProcesses": resource.RLIMIT_NPROC,
    "ResidentSetSize": resource.RLIMIT_RSS,
    "Stack": resource.RLIMIT_STACK,
}
_DEFAULT_FILES = 256


def environment(definition):
    """Returns the environment of the job: launchd's few variables and the plist's, no login environment."""
    return {
        "PATH": STANDARD_PATH,
        "OSLogRateLimit": "64",
        "XPC_SERVICE_NAME": definition.label,
        "XPC_FLAGS": "0x0",
        **definition.environment,
    }


def spawn(definition, owner_uid=0, keep_open=()):
    """Forks and execs; returns (pid, pipe). The pipe says why the exec did not happen, or ends empty when it did."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        os.close(reader)
        _exec(definition, owner_uid)
    except BaseException as error:  # the child must never return into the caller's loop
        os.write(writer, f"{type(error).__name__}: {error}".encode()[:4000])
    os._exit(EX_CONFIG)


def _exec(definition, owner_uid):
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()
    account = pwd.getpwuid(owner_uid) if definition.user is None else pwd.getpwnam(definition.user)
    gid = account.pw_gid if definition.group is None else grp.getgrnam(definition.group).gr_gid
    for path in (definition.stdout, definition.stderr):
        if path:
            _make_log_directory(os.path.dirname(path))
    _set_limits(definition)
    if definition.nice:
        os.nice(definition.nice)
    os.umask(0o022 if definition.umask is None else definition.umask)
    if account.pw_uid != 0 or definition.group is not None:
        if definition.init_groups:
            os.initgroups(account.pw_name, gid)
        else:
            os.setgroups([gid])
        os.setgid(gid)
        os.setuid(account.pw_uid)
    _open(0, definition.stdin, os.O_RDONLY)
    _open(1, definition.stdout, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    _open(2, definition.stderr, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.chdir(definition.directory or "/")
    program = definition.program
    if not program.startswith("/"):
        program = _search(program)
    os.execve(program, definition.arguments, environment(definition))


def _search(name):
    for directory in STANDARD_PATH.split(":"):
        candidate = f"{directory}/{name}"
        if os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(name)


def _make_log_directory(directory):
    # As root, 0766 minus the umask: a job with a UserName cannot enter what launchd made.
    missing = []
    while directory and not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for path in reversed(missing):
        os.mkdir(path, 0o744)


def _open(number, path, flags):
    descriptor = os.open(path or "/dev/null", flags if path else os.O_RDWR, 0o666)
    if descriptor != number:
        os.dup2(descriptor, number, inheritable=True)
        os.close(descriptor)
    else:
        os.set_inheritable(descriptor, True)


def _set_limits(definition):
    wanted = {("NumberOfFiles", "soft"): _DEFAULT_FILES, **definition.limits}
    for name, number in _LIMITS.items():
        soft, hard = resource.getrlimit(number)
        hard = wanted.get((name, "hard"), hard)
        soft = wanted.get((name, "soft"), soft)
        if name == "NumberOfFiles" and soft > hard:
            try:
                resource.setrlimit(number, (soft, soft))  # a system daemon's NumberOfFiles raises the kernel's limit too
                continue
            except (OSError, ValueError):
                pass  # a sandbox may not let even root raise it: as much as there is
        if hard != resource.RLIM_INFINITY and (soft == resource.RLIM_INFINITY or soft > hard):
            soft = hard
        try:
            resource.setrlimit(number, (soft, hard))
        except (OSError, ValueError):
            continue


def describe_status(status):
    """Returns (exit code, Darwin signal) of a wait status; one of them is None."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return None, errors.TO_DARWIN.get(number, number)
    return os.WEXITSTATUS(status), None
