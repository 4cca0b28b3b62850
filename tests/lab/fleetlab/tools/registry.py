"""Which commands a host has, where, and who answers: the one list that decides what a Mac's PATH holds."""

import dataclasses
import os
import typing

from .. import paths
from . import bsd

DEBIAN_BIN = f"{paths.DEBIAN}/debian/bin"
DEBIAN_SBIN = f"{paths.DEBIAN}/debian/sbin"


@dataclasses.dataclass(frozen=True)
class Tool:
    """A command: exactly one of the two is set."""

    serve: typing.Callable | None = None
    translate: typing.Callable | None = None


# Debian's program under the Mac's name, as it is: its behaviour is close enough, or nobody depends on it.
_PLAIN = {
    "/bin": ["bash", "dash", "dd", "echo", "expr", "kill", "pwd", "rmdir", "sleep", "stty", "sync", "test", "zsh", "["],
    "/usr/bin": [
        "basename", "cmp", "comm", "curl", "cksum", "diff", "dirname", "env", "expand", "false", "fold", "getconf",
        "gunzip", "gzcat:zcat", "gzip", "join", "jq", "killall", "logname", "nice", "nl", "nohup", "od", "openssl",
        "paste", "patch", "perl", "pgrep", "pkill", "printenv", "printf", "renice", "scp", "seq", "sftp", "sort", "split",
        "ssh", "ssh-keygen", "sudo", "tar:bsdtar", "bsdtar", "tee", "true", "tsort", "tty", "unexpand",
        "uniq", "wc", "which:which.debianutils", "whoami", "yes", "zcat", "shasum",
    ],
    "/usr/sbin": ["sshd", "visudo", "chroot"],
}
_RENAMED = {
    "/bin/sh": f"{DEBIAN_BIN}/bash",
    "/usr/bin/awk": f"{DEBIAN_BIN}/original-awk",
    "/usr/sbin/lsof": f"{DEBIAN_BIN}/lsof",
}


def links(client):
    """Returns {path without leading slash: target} of every command that the shared tree holds."""
    import_served()
    found = {}
    for directory, names in _PLAIN.items():
        for entry in names:
            name, _, program = entry.partition(":")
            # A Mac's place says nothing of Debian's (lsof is in /usr/sbin there, in /usr/bin here).
            in_sbin = os.path.exists(f"/usr/sbin/{program or name}")
            source = DEBIAN_SBIN if in_sbin else DEBIAN_BIN
            found[f"{directory}/{name}"[1:]] = f"{source}/{program or name}"
    found.update({path[1:]: target for path, target in _RENAMED.items()})
    for name, path in bsd.PLACES.items():
        found[f"{path}/{name}"[1:]] = client
    for path in SERVED:
        found[path[1:]] = client
    return found


SERVED: dict = {}
_BY_NAME: dict = {}


def served(*places):
    """Marks a function as the command at the given absolute paths."""
    def mark(function):
        for path in places:
            SERVED[path] = function
            _BY_NAME[path.rpartition("/")[2]] = function
        return function

    return mark


def import_served():
    """Loads every module of commands, so that nothing is imported after a host has left the machine's root."""
    from . import all_served  # noqa: F401  (the modules register themselves)


def find(name):
    """Returns the command called `name`."""
    import_served()
    if name in _BY_NAME:
        return Tool(serve=_BY_NAME[name])
    if name in bsd.PLACES:
        return Tool(translate=bsd.translate)
    return Tool(serve=_unknown)


def _unknown(arguments, _context):
    raise LookupError(f"the lab has no command {arguments[0]}")
