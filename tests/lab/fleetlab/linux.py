"""The few Linux system calls that Python 3.11 does not offer: namespaces, mounts, prctl.

Knows nothing of hosts or Macs. Every function raises OSError with the kernel's errno.
"""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _bytes(text):
    return None if text is None else os.fsencode(text)


def unshare(flags):
    """Leaves the namespaces named by `flags`; a new PID namespace holds the next child."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor, kind=0):
    """Joins the namespace behind an open descriptor."""
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    """mount(2)."""
    _check(
        _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(data)),
        f"mount {source} on {target}",
    )


def umount(target, flags=MNT_DETACH):
    """umount2(2), lazily unless told otherwise."""
    _check(_libc.umount2(_bytes(target), flags), f"umount {target}")


def make_private():
    """Keeps this mount namespace's changes to itself."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def bind(source, target, read_only=False, recursive=False):
    """Binds `source` on `target`, optionally read-only (setuid bits stay in force)."""
    mount(source, target, None, MS_BIND | (MS_REC if recursive else 0))
    if read_only:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def pivot_root(new_root):
    """Makes `new_root` (a mount point) the root and forgets the old one."""
    os.chdir(new_root)
    _check(_libc.pivot_root(b".", b"."), "pivot_root")
    umount(".")
    os.chdir("/")


def sethostname(name):
    """sethostname(2) in this UTS namespace."""
    raw = os.fsencode(name)
    _check(_libc.sethostname(raw, len(raw)), "sethostname")


def die_with_parent(number):
    """Asks the kernel to send `number` to this process when its parent ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def name_process(name):
    """Sets the name that the kernel shows for this process."""
    _libc.prctl(PR_SET_NAME, os.fsencode(name)[:15], 0, 0, 0)


def start_time(pid):
    """Returns the start time of `pid` in clock ticks since boot, or None when it is gone. With the pid it names one process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return None if fields[0] == b"Z" else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None
