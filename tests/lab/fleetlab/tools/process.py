"""ps, footprint, top: processes as a Mac shows them. GPU memory is in no process's RSS."""

import json
import os
import pwd
import sys
import time

from .. import paths
from . import getopt
from .registry import served

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_HIDDEN = ("lab-tools",)


def _uptime():
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0])


class Process:
    """One process of this host."""

    def __init__(self, pid, now):
        with open(f"/proc/{pid}/stat", "rb") as file:
            head, _, tail = file.read().rpartition(b")")
        fields = tail.split()
        self.pid = pid
        self.comm = head.partition(b"(")[2].decode(errors="replace")
        self.state = fields[0].decode()
        self.ppid, self.pgid = int(fields[1]), int(fields[2])
        self.cpu_seconds = (int(fields[11]) + int(fields[12])) / _TICKS
        self.age = max(0.0, now - int(fields[19]) / _TICKS)
        self.vsz, self.rss = int(fields[20]) // 1024, int(fields[21]) * _PAGE // 1024
        self.uid = os.stat(f"/proc/{pid}").st_uid
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
        self.command = b" ".join(words).decode(errors="replace") or f"({self.comm})"
        if pid == 1:
            self.command, self.comm = "/sbin/launchd", "/sbin/launchd"

    @property
    def user(self):
        """The owner's name."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


def processes():
    """Returns every process of the host but the lab's own."""
    now = _uptime()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            process = Process(int(name), now)
        except (OSError, ValueError, IndexError):
            continue
        if process.comm not in _HIDDEN:
            found.append(process)
    return sorted(found, key=lambda process: process.pid)


def _elapsed(seconds):
    seconds = int(seconds)
    days, hours, minutes, rest = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
    if days:
        return f"{days:02}-{hours:02}:{minutes:02}:{rest:02}"
    return f"{hours:02}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _cpu_time(seconds):
    return f"{int(seconds) // 60}:{seconds % 60:05.2f}"


# keyword: (header, left-justified, minimum width, value)
_KEYWORDS = {
    "pid": ("PID", False, 5, lambda p: p.pid),
    "ppid": ("PPID", False, 5, lambda p: p.ppid),
    "pgid": ("PGID", False, 5, lambda p: p.pgid),
    "uid": ("UID", False, 5, lambda p: p.uid),
    "user": ("USER", True, 0, lambda p: p.user),
    "ruser": ("RUSER", True, 0, lambda p: p.user),
    "rss": ("RSS", False, 6, lambda p: p.rss),
    "vsz": ("VSZ", False, 8, lambda p: p.vsz + 420_000_000),
    "%cpu": ("%CPU", False, 5, lambda p: f"{p.cpu_seconds * 100 / max(p.age, 1):.1f}"),
    "%mem": ("%MEM", False, 4, lambda p: "0.1"),
    "etime": ("ELAPSED", False, 11, lambda p: _elapsed(p.age)),
    "time": ("TIME", False, 9, lambda p: _cpu_time(p.cpu_seconds)),
    "state": ("STAT", True, 4, lambda p: p.state + "s"),
    "lstart": ("STARTED", True, 28, lambda p: time.strftime("%c", time.localtime(time.time() - p.age))),
    "tty": ("TTY", True, 8, lambda p: "??"),
    "nice": ("NI", False, 2, lambda p: 0),
    "comm": ("COMM", True, 0, lambda p: p.command.split()[0]),
    "command": ("COMMAND", True, 0, lambda p: p.command),
    "ucomm": ("UCOMM", True, 0, lambda p: os.path.basename(p.comm)),
}
_ALIASES = {"args": "command", "stat": "state", "pcpu": "%cpu", "pmem": "%mem", "vsize": "vsz", "tt": "tty", "ni": "nice",
            "cputime": "time", "rssize": "rss", "logname": "user"}


@served("/bin/ps")
def ps(arguments, context):
    """BSD's ps: lines are cut at 79 columns off a terminal unless -ww."""
    words = arguments[1:]
    long_form = False
    if words and not words[0].startswith("-") and not words[0].isdigit():
        # The old way without a dash: `u` is a form there; with the dash it wants a user.
        long_form = "u" in words[0]
        words = ["-" + words[0].replace("u", ""), *words[1:]]
    try:
        found, operands = getopt.parse("ps", words, "AaCcdeEfG:g:hjLlMmO:o:p:rSTt:U:u:vwXx")
    except getopt.UsageError as error:
        print(error, file=sys.stderr)
        print("usage: ps [-AaCcEefhjlMmrSTvwXx] [-O fmt | -o fmt] [-G gid[,gid...]]\n          [-u]\n"
              "          [-p pid[,pid...]] [-t tty[,tty...]] [-U user[,user...]]\n       ps [-L]", file=sys.stderr)
        return 1
    flags = [letter for letter, _ in found]
    columns = [item for letter, value in found if letter == "o" for item in _columns(value)]
    if any(keyword not in _KEYWORDS for keyword, _ in columns):
        bad = next(keyword for keyword, _ in columns if keyword not in _KEYWORDS)
        print(f"ps: {bad}: keyword not found\nps: no valid keywords; valid keywords:\n{' '.join(_KEYWORDS)}",
              file=sys.stderr)
        return 1
    if not columns:
        columns = [(name, None) for name in ("pid", "tty", "time", "command")]
        if "f" in flags:
            columns = [(name, None) for name in ("uid", "pid", "ppid", "time", "command")]
        if long_form:
            columns = [(name, None) for name in ("user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "state", "command")]
    chosen, code = _choose(found, flags, operands, context)
    width = None if flags.count("w") >= 2 or sys.stdout.isatty() else 131 if "w" in flags else 79
    _print(chosen, columns, width)
    return code


def _columns(text):
    """Splits "pid=,rss,command=NAME" into (keyword, header or None)."""
    result = []
    for item in text.replace(" ", ",").split(","):
        keyword, equals, header = item.partition("=")
        if keyword:
            result.append((_ALIASES.get(keyword, keyword), header if equals else None))
    return result


def _choose(found, flags, operands, context):
    everything = processes()
    numbers = [int(word) for letter, value in found if letter == "p" for word in value.split(",") if word.isdigit()]
    numbers += [int(word) for word in operands if word.isdigit()]
    if "p" in flags or numbers:
        chosen = [process for process in everything if process.pid in numbers]
        return chosen, 0 if chosen else 1
    users = [word for letter, value in found if letter in "Uu" and value for word in value.split(",")]
    if users:
        chosen = [process for process in everything if process.user in users or str(process.uid) in users]
        return chosen, 0 if chosen else 1
    if "A" in flags or "e" in flags or ("a" in flags and "x" in flags):
        return everything, 0
    return [process for process in everything if process.uid == context.uid and "x" in flags], 0


def _print(chosen, columns, width):
    headers = [_KEYWORDS[keyword][0] if header is None else header for keyword, header in columns]
    rows = [[str(_KEYWORDS[keyword][3](process)) for keyword, _ in columns] for process in chosen]
    lines = [headers] if any(headers) else []
    lines += rows
    widths = [max([_KEYWORDS[keyword][2], *(len(line[index]) for line in lines)])
              for index, (keyword, _) in enumerate(columns)]
    for line in lines:
        parts = []
        for index, text in enumerate(line):
            last = index == len(line) - 1
            left = _KEYWORDS[columns[index][0]][1]
            parts.append(text if left and last else text.ljust(widths[index]) if left else text.rjust(widths[index]))
        print(" ".join(parts)[:width])


@served("/usr/bin/footprint")
def footprint(arguments, context):
    """Prints what Activity Monitor calls memory: RSS and the GPU memory that the process says it holds."""
    words = arguments[1:]
    pids = [int(word) for word in words if word.isdigit()]
    if not pids:
        print("usage: footprint [-s] [-p <process>] [-x <process>] [--all] ...", file=sys.stderr)
        return 64
    code = 0
    for pid in pids:
        try:
            process = Process(pid, _uptime())
        except (OSError, ValueError):
            print(f"footprint: No process found with pid {pid}", file=sys.stderr)
            code = 1
            continue
        if context.uid not in (0, process.uid):
            print(f"footprint: Unable to analyze process with pid {pid} (try as root?)", file=sys.stderr)
            code = 1
            continue
        size = process.rss * 1024 + _gpu(pid)
        name = os.path.basename(process.comm)
        print(f"{name} [{pid}]: 64-bit    Footprint: {size} B (16384 bytes per page)\n")
        print(f"Auxiliary data:\n    phys_footprint: {size} B\n    phys_footprint_peak: {size + 589627392} B")
    return code


def _gpu(pid):
    total = 0
    for name in os.listdir(paths.WIRED) if os.path.isdir(paths.WIRED) else ():
        try:
            with open(f"{paths.WIRED}/{name}", encoding="utf-8") as file:
                entry = json.load(file)
            if entry.get("pid") == pid:
                total += int(entry["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return total
