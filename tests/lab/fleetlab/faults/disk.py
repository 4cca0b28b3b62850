"""Faults of the host's disk."""

import os
import subprocess

from .. import linux
from .base import Fault

_MARGIN = 4096


class DiskFull(Fault):
    """The disk has no space left. `--free BYTES` leaves that much; a path makes only that directory's disk full.

    Without a path it is the whole container, as on a Mac, where state, home, logs and /tmp share one.
    """

    name = "disk-full"
    path = None

    def apply(self):
        words = list(self.words)
        free = 0
        if "--free" in words:
            at = words.index("--free")
            free = int(words[at + 1])
            del words[at : at + 2]
        if len(words) > 1:
            raise ValueError("disk-full takes one path at most")
        self.path = words[0] if words else None
        if self.path is None:
            status = os.statvfs(self.runtime.disk)
            used = (status.f_blocks - status.f_bfree) * status.f_frsize
            linux.mount(None, self.runtime.disk, None, linux.MS_REMOUNT, f"size={max(used + free, _MARGIN)}")
        else:
            self.inside(lambda: _fill(self.path, free))
            self.again_after_boot = True

    def heal(self):
        if self.path is None:
            linux.mount(None, self.runtime.disk, None, linux.MS_REMOUNT, f"size={self.spec.real_disk}")
        elif self.runtime.pid is not None:
            self.inside(lambda: _restore(self.path))


def _below(path):
    return "/private/var/lab/run/below" + path.replace("/", "-")


def _copy(source, target):
    subprocess.run(
        ["/System/Library/Lab/debian/bin/rsync", "-aHAX", "--delete", f"{source}/", f"{target}/"], check=True, timeout=120
    )


def _fill(path, free):
    path = os.path.realpath(path)
    below = _below(path)
    os.makedirs(below, exist_ok=True)
    linux.bind(path, below)
    status = os.stat(path)
    linux.mount("lab", path, "tmpfs", 0, f"mode={status.st_mode & 0o7777:o},uid={status.st_uid},gid={status.st_gid}")
    _copy(below, path)
    full = os.statvfs(path)
    used = (full.f_blocks - full.f_bfree) * full.f_frsize
    linux.mount(None, path, None, linux.MS_REMOUNT, f"size={max(used + free, _MARGIN)}")


def _restore(path):
    path = os.path.realpath(path)
    _copy(path, _below(path))
    linux.umount(path)
    linux.umount(_below(path))


class ReadOnly(Fault):
    """The given directories cannot be written: EROFS, for root too."""

    name = "read-only"
    again_after_boot = True

    def apply(self):
        if not self.words:
            raise ValueError("read-only takes at least one path")
        self.inside(lambda: [_protect(path) for path in self.words])

    def heal(self):
        if self.runtime.pid is not None:
            self.inside(lambda: [_release(path) for path in reversed(self.words)])


def _protect(path):
    path = os.path.realpath(path)
    if path != "/":
        linux.bind(path, path)
    linux.mount(None, path, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY)


def _release(path):
    path = os.path.realpath(path)
    if path == "/":
        linux.mount(None, path, None, linux.MS_REMOUNT | linux.MS_BIND)
    else:
        linux.umount(path)
