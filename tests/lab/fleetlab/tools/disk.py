"""df: one APFS container that pretends to be as large as the host's disk, and is as full as the host's real files make it."""

import os
import sys

from . import getopt
from .registry import served

_DATA = "/System/Volumes/Data"


def _volumes(context):
    """Returns rows (device, total, used, available, inodes used, mounted on) in KiB."""
    root = os.statvfs("/")
    total = context.host["disk"] * 1000 // 1024 // 1000
    real_total = root.f_blocks * root.f_frsize
    real_free = root.f_bavail * root.f_frsize
    spent = (context.host["real_disk"] - real_free) // 1024
    if real_total < context.host["real_disk"]:
        available = real_free // 1024  # a test made the disk small: its free space is the truth
    else:
        available = max(0, total * 63 // 100 - spent)
    system, vm, preboot = 11214116, 20, 7020420
    data = max(0, total - available - system - vm - preboot)
    files = root.f_files - root.f_ffree
    return [
        ("/dev/disk3s1s1", total, system, available, 404475, "/"),
        ("devfs", 210, 210, 0, 727, "/dev"),
        ("/dev/disk3s6", total, vm, available, 0, "/System/Volumes/VM"),
        ("/dev/disk3s2", total, preboot, available, 1405, "/System/Volumes/Preboot"),
        ("/dev/disk3s5", total, data, available, files, _DATA),
        ("map auto_home", 0, 0, 0, 0, "/System/Volumes/Data/home"),
    ]


def _other_mount(path, index):
    """Returns the row of a file system that is not the container's, or None."""
    status = os.statvfs(path)
    unit = status.f_frsize
    top = os.path.realpath(path)
    device = os.stat(top).st_dev
    while top != "/" and os.stat(os.path.dirname(top)).st_dev == device:
        top = os.path.dirname(top)
    used = (status.f_blocks - status.f_bfree) * unit // 1024
    return (f"/dev/disk{4 + index}s1", status.f_blocks * unit // 1024, used, status.f_bavail * unit // 1024,
            status.f_files - status.f_ffree, top)


def _row_of(path, rows, index):
    if os.stat(path).st_dev not in (os.stat("/").st_dev, os.stat("/private/var/db").st_dev) and os.path.isdir(path):
        return _other_mount(path, index)
    real = os.path.realpath(path)
    sealed = real == "/" or real.split("/")[1] in ("System", "bin", "sbin", "usr") and not real.startswith("/usr/local")
    if real.startswith("/System/Volumes/"):
        sealed = False
    return rows[0] if sealed else rows[4]


@served("/bin/df")
def df(arguments, context):
    """Prints free space."""
    try:
        found, paths = getopt.parse("df", arguments[1:], "abgHhIiklmnPT:tY")
    except getopt.UsageError as error:
        print(error, file=sys.stderr)
        print("usage: df [--libxo] [-b | -g | -H | -h | -k | -m | -P] [-acIilnY] [-,] [-T type] [-t]"
              " [file | filesystem ...]", file=sys.stderr)
        return 1
    flags = {letter for letter, _ in found}
    rows = _volumes(context)
    code = 0
    if paths:
        chosen = []
        for index, path in enumerate(paths):
            try:
                chosen.append(_row_of(path, rows, index))
            except OSError as error:
                print(f"df: {path}: {error.strerror}", file=sys.stderr)
                code = 1
        rows = chosen
        if not rows:
            return code
    _print(rows, flags)
    return code


def _human(kib, base):
    value, units = kib * 1024.0, ("B", "Ki", "Mi", "Gi", "Ti") if base == 1024 else ("B", "K", "M", "G", "T")
    for unit in units:
        if value < base or unit == units[-1]:
            return f"{value:.0f}{unit}" if value >= 10 or value == 0 else f"{value:.1f}{unit}"
        value /= base
    return ""


def _print(rows, flags):
    posix = "P" in flags or "I" in flags
    if "h" in flags or "H" in flags:
        title = "Size"
        show = lambda kib: _human(kib, 1024 if "h" in flags else 1000)  # noqa: E731
    else:
        size, title = 512, "512-blocks"
        for letter, unit, name in (("k", 1024, "1024-blocks"), ("m", 1 << 20, "1M-blocks"), ("g", 1 << 30, "1G-blocks")):
            if letter in flags:
                size, title = unit, name
        show = lambda kib: str(-(-kib * 1024 // size))  # noqa: E731
    table = []
    for device, total, used, available, inodes, mount in rows:
        percent = "100%" if not used + available else f"{-(-used * 100 // (used + available))}%"
        free_inodes = available * 10 if mount not in ("/dev", "/System/Volumes/Data/home") else 0
        table.append((device, show(total), show(used), show(available), percent, inodes, free_inodes, mount))
    name = max(len("Filesystem"), *(len(row[0]) for row in table))
    widths = [max(len(head), 9, *(len(row[index]) for row in table))
              for index, head in ((1, title), (2, "Used"), (3, "Avail" if title == "Size" else "Available"))]
    heads = [title, "Used", "Avail" if title == "Size" else "Available"]
    head = f"{'Filesystem':<{name}} " + " ".join(f"{text:>{width}}" for text, width in zip(heads, widths, strict=True))
    print(head + (" Capacity  Mounted on" if posix else " Capacity iused      ifree %iused  Mounted on"))
    for row in table:
        line = f"{row[0]:<{name}} " + " ".join(f"{text:>{width}}" for text, width in zip(row[1:4], widths, strict=True))
        line += f" {row[4]:>6}"
        if posix:
            line += "    "
        else:
            share = "    -" if not row[5] + row[6] else f"{row[5] * 100 // (row[5] + row[6])}%"
            line += f" {row[5]:>7} {row[6]:>10} {share:>5}   "
        print(line + row[7])


@served("/sbin/mount")
def mount(arguments, context):
    """Lists the volumes."""
    if len(arguments) > 1:
        print("lab: mount only lists", file=sys.stderr)
        return 70
    for device, *_, where in _volumes(context):
        kind = {"devfs": "devfs, local", "map auto_home": "autofs, automounted"}.get(device, "apfs, local, journaled")
        if where == "/":
            kind = "apfs, sealed, local, read-only, journaled"
        print(f"{device} on {where} ({kind})")
    for path in sorted(os.listdir("/Volumes")):
        if os.path.ismount(f"/Volumes/{path}"):
            print(f"/dev/disk4s1 on /Volumes/{path} (apfs, local, nodev, nosuid, journaled, noowners)")
    return 0
