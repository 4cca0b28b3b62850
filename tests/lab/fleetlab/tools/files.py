"""stat, mktemp, base64, xattr, lockf: what differs too much from GNU to be translated."""

import base64 as codec
import fcntl
import grp
import hashlib
import os
import pwd
import random
import stat as modes
import string
import subprocess
import sys
import time

from . import getopt
from .registry import served

_STAT_USAGE = "usage: stat [-FLnq] [-f format | -l | -r | -s | -x] [-t timefmt] [file ...]"


def _user(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


_KINDS = (
    (modes.S_ISDIR, "Directory", "/"), (modes.S_ISLNK, "Symbolic Link", "@"), (modes.S_ISFIFO, "Fifo File", "|"),
    (modes.S_ISSOCK, "Socket", "="), (modes.S_ISCHR, "Character Device", ""), (modes.S_ISBLK, "Block Device", ""),
)


def _kind(mode):
    for test, name, suffix in _KINDS:
        if test(mode):
            return name, suffix
    return "Regular File", "*" if mode & 0o111 else ""


def _datum(letter, form, part, path, status, time_format):
    times = {"a": status.st_atime, "m": status.st_mtime, "c": status.st_ctime, "B": status.st_ctime}
    if letter in times:
        if form == "S":
            return time.strftime(time_format, time.localtime(times[letter]))
        return str(int(times[letter]))
    if letter == "p":
        if form == "S":
            return modes.filemode(status.st_mode)
        value = status.st_mode
        if part == "H":
            value >>= 12
        elif part == "M":
            value = (value >> 9) & 0o7
        elif part == "L":
            value &= 0o777
        return f"{value:o}" if form in ("", "O") else str(value)
    if letter in "ug":
        number = status.st_uid if letter == "u" else status.st_gid
        return (_user if letter == "u" else _group)(number) if form == "S" else str(number)
    if letter == "T":
        name, suffix = _kind(status.st_mode)
        return name if part == "H" else suffix
    if letter == "Y":
        target = os.readlink(path) if modes.S_ISLNK(status.st_mode) else ""
        return (" -> " if form == "S" and target else "") + target
    if letter == "N":
        return path
    numbers = {
        "d": status.st_dev, "i": status.st_ino, "l": status.st_nlink, "r": status.st_rdev, "z": status.st_size,
        "b": status.st_blocks, "k": status.st_blksize, "f": 0, "v": 0,
    }
    value = numbers[letter]
    return f"{value:o}" if form == "O" else f"{value:x}" if form == "X" else str(value)


def _expand(style, path, status, time_format):
    out = []
    index = 0
    while index < len(style):
        character = style[index]
        index += 1
        if character != "%" or index == len(style):
            out.append(character)
            continue
        if style[index] in "nt%@":
            out.append({"n": "\n", "t": "\t", "%": "%", "@": "1"}[style[index]])
            index += 1
            continue
        begin = index
        while index < len(style) and style[index] in "#+-0 123456789.":
            index += 1
        flags = style[begin:index]
        form = part = ""
        if index < len(style) and style[index] in "DOUXFS":
            form = style[index]
            index += 1
        if index < len(style) and style[index] in "HML":
            part = style[index]
            index += 1
        if index == len(style) or style[index] not in "dipluragmcBzbkfvNTYZ":
            raise ValueError(style)
        text = _datum(style[index], form, part, path, status, time_format)
        index += 1
        width = flags.lstrip("#+- 0").partition(".")[0]
        if width:
            text = text.ljust(int(width)) if "-" in flags else text.rjust(int(width), "0" if "0" in flags[:2] else " ")
        out.append(text)
    return "".join(out)


@served("/usr/bin/stat")
def stat(arguments, _context):
    """BSD's stat: -f is the format, -c does not exist."""
    try:
        found, operands = getopt.parse("stat", arguments[1:], "f:FlLnqrst:x")
    except getopt.UsageError as error:
        print(f"{error}\n{_STAT_USAGE}", file=sys.stderr)
        return 1
    options = dict(found)
    time_format = options.get("t", "%b %e %T %Y")
    style = '%d %i %Sp %l %Su %Sg %r %z "%Sa" "%Sm" "%Sc" "%SB" %k %b %f %N'
    if "x" in options:
        style = '  File: "%N"\n  Size: %-11z  FileType: %HT\n  Mode: (%04Lp/%.10Sp)         Uid: (%5u/%8Su)  Gid: (%5g/%8Sg)'
    style = options.get("f", style)
    code = 0
    for path in operands:
        try:
            status = os.stat(path) if "L" in options else os.lstat(path)
        except OSError as error:
            if "q" not in options:
                print(f"stat: {path}: stat: {error.strerror}", file=sys.stderr)
            code = 1
            continue
        try:
            text = _expand(style, path, status, time_format)
        except ValueError:
            print(f"stat: {style}: bad format", file=sys.stderr)
            return 1
        sys.stdout.write(text if "n" in options else text + "\n")
    return code


@served("/usr/bin/mktemp")
def mktemp(arguments, context):
    """Makes a temporary file or directory from a template, or below the user's own temporary directory."""
    usage = (
        "usage: mktemp [-d] [-p tmpdir] [-q] [-t prefix] [-u] template ...\n"
        "       mktemp [-d] [-p tmpdir] [-q] [-u] -t prefix"
    )
    try:
        found, operands = getopt.parse("mktemp", arguments[1:], "dp:qt:u")
    except getopt.UsageError as error:
        print(f"{error}\n{usage}", file=sys.stderr)
        return 1
    options = dict(found)
    if "t" in options or not operands:
        base = options.get("p") or os.environ.get("TMPDIR") or _user_directory(context)
        operands = [f"{base.rstrip('/')}/{options.get('t', 'tmp')}.XXXXXXXXXX", *operands]
    code = 0
    for template in operands:
        try:
            print(_make(template, "d" in options, "u" in options))
        except OSError as error:
            if "q" not in options:
                kind = "mkdtemp" if "d" in options else "mkstemp"
                print(f"mktemp: {kind} failed on {template}: {error.strerror}", file=sys.stderr)
            code = 1
    return code


def _user_directory(context):
    # DARWIN_USER_TEMP_DIR: two levels of letters made from the user.
    name = f"{context.uid:08x}".translate(str.maketrans("0123456789", "zyxwvutsrq"))
    path = f"/var/folders/{name[:2]}/{name}{'0' * 22}gn/T"
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _make(template, directory, unlink):
    stem = template.rstrip("X")
    count = len(template) - len(stem)
    for _ in range(1000):
        path = stem + "".join(random.choices(string.ascii_letters + string.digits, k=count))
        try:
            if directory:
                os.mkdir(path, 0o700)
            else:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            if count == 0:
                raise
            continue
        if unlink:
            (os.rmdir if directory else os.unlink)(path)
        return path
    raise FileExistsError(17, "File exists", template)


@served("/usr/bin/base64")
def base64(arguments, _context):
    """Encodes without wrapping, decodes with -d or -D."""
    usage = (
        "Usage:\tbase64 [-Ddh] [-b num] [-i in_file] [-o out_file]\n  -b, --break    break encoded output up into lines"
        " of length num\n  -D, -d         decode input\n  -h, --help     display this message\n"
        "  -i, --input    input file (default: \"-\" for stdin)\n  -o, --output   output file (default: \"-\" for stdout)"
    )
    words = {"--decode": "-d", "--help": "-h", "--wrap=0": "-w0"}
    try:
        found, operands = getopt.parse("base64", [words.get(word, word) for word in arguments[1:]], "Ddhb:i:o:w:")
    except getopt.UsageError as error:
        print(f"{error}\n{usage}", file=sys.stderr)
        return 64
    options = dict(found)
    source = options.get("i", operands[0] if operands else "-")
    try:
        data = sys.stdin.buffer.read() if source == "-" else open(source, "rb").read()
    except OSError as error:
        print(f"base64: {source}: {error.strerror}", file=sys.stderr)
        return 1
    if "d" in options or "D" in options:
        try:
            sys.stdout.buffer.write(codec.b64decode(b"".join(data.split()), validate=True))
        except ValueError:
            print("base64: stdin: (null): error decoding base64 input stream", file=sys.stderr)
            return 1
        return 0
    text = codec.b64encode(data).decode()
    width = int(options.get("b", options.get("w", 0)))
    lines = [text[at : at + width] for at in range(0, len(text), width)] if width else [text]
    print("\n".join(lines))
    return 0


@served("/usr/bin/xattr")
def xattr(arguments, _context):
    """Lists, reads, writes and removes extended attributes (kept in the user namespace of Linux)."""
    try:
        found, operands = getopt.parse("xattr", arguments[1:], "cdlprsvwx")
    except getopt.UsageError as error:
        print(error, file=sys.stderr)
        return 64
    flags = {letter for letter, _ in found}
    value = None
    name = operands.pop(0) if flags & set("pdw") and operands else None
    if "w" in flags and operands:
        value = operands.pop(0).encode()
    code = 0
    for path in operands:
        try:
            code = _xattr(path, name, value, flags) or code
        except OSError as error:
            if error.errno == 61:
                print(f"xattr: {path}: No such xattr: {name}", file=sys.stderr)
            else:
                print(f"xattr: {error.strerror}: '{path}'", file=sys.stderr)
            code = 1
    return code


def _xattr(path, name, value, flags):
    if "c" in flags:
        for key in os.listxattr(path):
            if key.startswith("user."):
                os.removexattr(path, key)
    elif "d" in flags:
        os.removexattr(path, f"user.{name}")
    elif "w" in flags:
        os.setxattr(path, f"user.{name}", value)
    elif "p" in flags:
        print(os.getxattr(path, f"user.{name}").decode(errors="replace"))
    else:
        for key in os.listxattr(path):
            if key.startswith("user."):
                text = f": {os.getxattr(path, key).decode(errors='replace')}" if "l" in flags else ""
                print(key.removeprefix("user.") + text)
    return 0


@served("/usr/bin/lockf")
def lockf(arguments, _context):
    """Runs a command while holding a lock file."""
    try:
        found, operands = getopt.parse("lockf", arguments[1:], "knpst:w")
    except getopt.UsageError as error:
        print(f"{error}\nusage: lockf [-knsw] [-t seconds] file command [arguments]", file=sys.stderr)
        return 64
    options = dict(found)
    if len(operands) < 2:
        print("usage: lockf [-knsw] [-t seconds] file command [arguments]", file=sys.stderr)
        return 64
    path = operands[0]
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    deadline = time.monotonic() + float(options.get("t", 1e9))
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                if "s" not in options:
                    print(f"lockf: {path}: already locked", file=sys.stderr)
                return 75
            time.sleep(0.02)
    try:
        return subprocess.run(operands[1:], check=False).returncode & 0xFF
    finally:
        if "k" not in options:
            os.unlink(path)


@served("/sbin/sha256sum")
def sha256sum(arguments, _context):
    """Sums files, on the releases that have it."""
    return subprocess.run(["/usr/bin/shasum", "-a", "256", *arguments[1:]], check=False).returncode


@served("/sbin/md5")
def md5(arguments, _context):
    """Sums files in BSD's form; -q prints the sum alone."""
    try:
        found, operands = getopt.parse("md5", arguments[1:], "pqrs:")
    except getopt.UsageError as error:
        print(f"{error}\nusage: md5 [-pqrtx] [-s string] [file ...]", file=sys.stderr)
        return 1
    options = dict(found)
    if "s" in options:
        print(hashlib.md5(options["s"].encode()).hexdigest())
        return 0
    code = 0
    for path in operands or ["-"]:
        try:
            data = sys.stdin.buffer.read() if path == "-" else open(path, "rb").read()
        except OSError as error:
            print(f"md5: {path}: {error.strerror}", file=sys.stderr)
            code = 1
            continue
        total = hashlib.md5(data).hexdigest()
        plain = path == "-" or "q" in options
        print(total if plain else f"{total} {path}" if "r" in options else f"MD5 ({path}) = {total}")
    return code
