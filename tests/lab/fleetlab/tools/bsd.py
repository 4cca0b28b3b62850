"""BSD's commands over GNU's: options are read as BSD's getopt does, and what BSD does not know is refused.

Nothing is permuted: options end at the first operand. Long options are refused. What remains is given to Debian's
program with the operands behind "--". Option strings and usage texts are those of macOS 15's manual pages.
"""

import dataclasses
import os
import stat
import typing

from .. import paths
from . import getopt

_BIN = f"{paths.DEBIAN}/debian/bin"


@dataclasses.dataclass(frozen=True)
class Exec:
    """A translation's answer: execute this program with these arguments and added environment."""

    program: str
    arguments: list
    environment: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Refusal:
    """A translation's answer: say this on stderr and end."""

    message: str
    code: int = 1


@dataclasses.dataclass(frozen=True)
class Command:
    """One command: where it lies, its options, how it complains, and what it becomes."""

    directory: str
    options: str
    usage: str
    code: int = 1
    drop: str = ""
    program: str = ""
    adapt: typing.Callable | None = None
    posix: bool = False


def _real(name):
    return f"{_BIN}/{name}"


def _run(name, words, operands, program=None, posix=False):
    environment = ["POSIXLY_CORRECT=1"] if posix else []
    return Exec(_real(program or name), [name, *words, "--", *operands], environment)


def _is_link(path, cwd):
    try:
        return stat.S_ISLNK(os.lstat(path, dir_fd=cwd).st_mode)
    except (OSError, ValueError):
        return False


def _mv(name, found, operands, cwd):
    # -h: a target that is a link to a directory is replaced, not entered (rename(2)).
    words = getopt.join(found, "h")
    if any(letter == "h" for letter, _ in found) and len(operands) == 2 and _is_link(operands[1], cwd):
        words.append("-T")
    return _run(name, words, operands)


def _ln(name, found, operands, _cwd):
    words = getopt.join(found, "hFw")
    if any(letter == "h" for letter, _ in found):
        words.append("-n")
    return _run(name, words, operands)


def _head(name, found, operands, _cwd):
    for letter, value in found:
        if letter in "nc" and (not value.isdigit() or int(value) == 0):
            kind = "line" if letter == "n" else "byte"
            return Refusal(f"head: illegal {kind} count -- {value}\n")
    return _run(name, getopt.join(found), operands)


def _tail(name, found, operands, _cwd):
    if any(letter == "r" for letter, _ in found):
        return _run(name, [], operands, program="tac")
    words = []
    for letter, value in found:
        if letter == "b":
            words += ["-c", f"{value}b"]
        else:
            words += getopt.join([(letter, value)])
    return _run(name, words, operands)


def _xargs(name, found, operands, _cwd):
    # BSD's xargs runs nothing without input; -r is accepted and says so.
    for letter, _ in found:
        if letter in "JRS":
            return Refusal(f"lab: xargs -{letter} is not imitated\n", 70)
    return Exec(_real("xargs"), [name, *getopt.join(found, "ro"), "-r", "--", *operands])


def _sed(name, found, operands, _cwd):
    words = ["--posix"]
    in_place = False
    script_given = False
    for letter, value in found:
        if letter in "iI":
            in_place = True
            words.append(f"-i{value}" if value else "-i")
        elif letter in "ef":
            script_given = True
            words += [f"-{letter}", value]
        elif letter in "Er":
            words.append("-E")
        elif letter in "lu":
            words.append("-u")
        elif letter != "a":
            words.append(f"-{letter}")
    if not script_given and not operands:
        return Refusal(COMMANDS["sed"].usage)
    script = None if script_given else operands[0]
    # A GNU user's `sed -i SCRIPT FILE`: the script became the suffix, the file is read as the script.
    first = (script or "").lstrip(" \t;")[:1]
    if in_place and first and first.isalpha() and first not in "abcdDgGhHilnNpPqrstwxy":
        return Refusal(f'sed: 1: "{script}": invalid command code {first}\n')
    return _run(name, words, operands)


_GNU_PRIMARIES = {
    "-printf", "-fprintf", "-fprint", "-fprint0", "-fls", "-regextype", "-executable", "-readable", "-writable",
    "-daystart", "-warn", "-nowarn", "-ignore_readdir_race", "-noignore_readdir_race", "-used", "-xtype", "-lname2",
    "-context", "-help", "-version",
}


def _find(name, found, operands, _cwd):
    words, primaries = [], []
    for letter, value in found:
        if letter in "HLP":
            words.append(f"-{letter}")
        elif letter == "x":
            primaries.append("-xdev")
        elif letter == "d":
            primaries.append("-depth")
        elif letter == "E":
            primaries += ["-regextype", "posix-extended"]
        elif letter == "f":
            operands = [value, *operands]
    count = 0
    while count < len(operands) and operands[count][:1] not in ("-", "(", "!"):
        count += 1
    if count == 0:
        return Refusal(COMMANDS["find"].usage)
    for word in operands[count:]:
        if word in _GNU_PRIMARIES:
            return Refusal(f"find: {word}: unknown primary or operator\n")
    return Exec(_real("find"), [name, *words, *operands[:count], *primaries, *operands[count:]])


def _install(name, found, operands, _cwd):
    # -D is DESTDIR here, not "make the parents"; what it names is only recorded in BSD's metalog.
    words = []
    for letter, value in found:
        if letter in "dvCpbs" or letter in "ogm":
            words += getopt.join([(letter, value)])
    return _run(name, words, operands)


def _grep(name, found, operands, _cwd):
    return Exec(_real("grep"), ["grep", *_grep_kind(name), *getopt.join(found, "SOp"), "--", *operands])


def _grep_kind(name):
    return {"egrep": ["-E"], "fgrep": ["-F"]}.get(name, [])


def _chmod(name, found, operands, _cwd):
    if operands and operands[0][:2] in ("+a", "-a", "=a"):
        return Refusal("lab: access control lists are not imitated\n", 70)
    return _run(name, getopt.join(found, "ENh"), operands)


def _ls(name, found, operands, _cwd):
    return _run(name, ["--color=never", *getopt.join(found, "@eOGTW%")], operands)


def _du(name, found, operands, _cwd):
    words = ["-B1G" if letter == "g" else None for letter, _ in found]
    return _run(name, [*filter(None, words), *getopt.join(found, "grnIty")], operands, posix=True)


_OPENRSYNC_REFUSES = (
    "--info", "--chown", "--mkpath", "--append-verify", "--zc", "--compress-choice", "--zl", "--debug", "--usermap",
    "--groupmap", "--open-noatime", "--atimes", "--crtimes", "--stop-after", "--stop-at", "--checksum-choice",
)


def _rsync(words):
    """/usr/bin/rsync since macOS 15.4: openrsync, of protocol 29."""
    if "--version" in words or words == ["-V"]:
        return Exec("/bin/echo", ["echo", "openrsync: protocol version 29\nrsync version 2.6.9 compatible"])
    for word in words:
        if word == "--":
            break
        for refused in _OPENRSYNC_REFUSES:
            if word == refused or word.startswith(refused + "="):
                return Refusal(f"rsync: unrecognized option `{refused}'\n", 1)
    protocol = [] if "--server" in words else ["--protocol=29"]
    return Exec(_real("rsync"), ["rsync", *protocol, *words])


COMMANDS = {
    "cat": Command("/bin", "belnstuv", "usage: cat [-belnstuv] [file ...]\n", drop="lu"),
    "chgrp": Command("/usr/bin", "fhnvxHLPR", "usage: chgrp [-fhnvx] [-R [-H | -L | -P]] group file ...\n", drop="nx"),
    "chmod": Command(
        "/bin", "ACEHILNPRVafhinorstuvwx",
        "usage:\tchmod [-fhv] [-R [-H | -L | -P]] [-a | +a | =a  [i][# [ n]]] mode|entry file ...\n"
        "\tchmod [-fhv] [-R [-H | -L | -P]] [-E | -C | -N | -i | -I] file ...\n",
        adapt=_chmod,
    ),
    "chown": Command(
        "/usr/sbin", "HLPRfhnvx",
        "usage: chown [-fhnvx] [-R [-H | -L | -P]] owner[:group] file ...\n"
        "       chown [-fhnvx] [-R [-H | -L | -P]] :group file ...\n",
        drop="nx",
    ),
    "cp": Command(
        "/bin", "HLPRSXacfilnprsv",
        "usage: cp [-R [-H | -L | -P]] [-fi | -n] [-aclpSsvXx] source_file target_file\n"
        "       cp [-R [-H | -L | -P]] [-fi | -n] [-aclpSsvXx] source_file ... target_directory\n",
        code=64, drop="XcS",
    ),
    "cut": Command(
        "/usr/bin", "b:c:d:f:nsw",
        "usage: cut -b list [-n] [file ...]\n       cut -c list [file ...]\n"
        "       cut -f list [-s] [-w | -d delim] [file ...]\n",
    ),
    "du": Command(
        "/usr/bin", "AB:HI:LPXacd:ghiklmnrst:xy",
        "usage: du [-Aclnx] [-H | -L | -P] [-g | -h | -k | -m] [-a | -s | -d depth] [-B blocksize] [-I mask]"
        " [-t threshold] [file ...]\n",
        code=64, adapt=_du,
    ),
    "egrep": Command("/usr/bin", "", "", adapt=_grep),
    "fgrep": Command("/usr/bin", "", "", adapt=_grep),
    "find": Command(
        "/usr/bin", "EHLPXdf:sx",
        "usage: find [-H | -L | -P] [-EXdsx] [-f path] path ... [expression]\n"
        "       find [-H | -L | -P] [-EXdsx] -f path [path ...] [expression]\n",
        adapt=_find,
    ),
    "grep": Command(
        "/usr/bin", "0123456789A:B:C:D:EFGHILMOSRUVXZabcd:e:f:hilm:nopqrsuvwxyz",
        "usage: grep [-abcdDEFGHhIiJLlMmnOopqRSsUVvwXxZz] [-A num] [-B num] [-C[num]]\n"
        "\t[-e pattern] [-f file] [--binary-files=value] [--color=when]\n"
        "\t[--context[=num]] [--directories=action] [--label] [--line-buffered]\n"
        "\t[--null] [pattern] [file ...]\n",
        code=2, adapt=_grep,
    ),
    "head": Command("/usr/bin", "c:n:", "usage: head [-n lines | -c bytes] [file ...]\n", adapt=_head),
    "id": Command(
        "/usr/bin", "AFGMPacgnpru",
        "usage: id [user]\n       id -A\n       id -F [user]\n       id -G [-n] [user]\n       id -M\n"
        "       id -P [user]\n       id -g [-nr] [user]\n       id -p [user]\n       id -u [-nr] [user]\n",
    ),
    "install": Command(
        "/usr/bin", "B:bCcD:df:g:h:l:M:m:N:o:pSsT:Uv",
        "usage: install [-bCcpSsv] [-f flags] [-g group] [-m mode] [-o owner]\n"
        "               [-M log] [-D dest] [-h hash] [-T tags]\n"
        "               [-B suffix] [-l linkflags] [-N dbdir]\n"
        "               file1 file2\n"
        "       install [-bCcpSsv] [-f flags] [-g group] [-m mode] [-o owner]\n"
        "               [-M log] [-D dest] [-h hash] [-T tags]\n"
        "               [-B suffix] [-l linkflags] [-N dbdir]\n"
        "               file1 ... fileN directory\n"
        "       install -dU [-vU] [-g group] [-m mode] [-N dbdir] [-o owner]\n"
        "               [-M log] [-D dest] [-h hash] [-T tags]\n"
        "               directory ...\n",
        code=64, adapt=_install,
    ),
    "ln": Command(
        "/bin", "FLPfhinsvw",
        "usage: ln [-s [-F] | -L | -P] [-f | -i] [-hnv] source_file [target_file]\n"
        "       ln [-s [-F] | -L | -P] [-f | -i] [-hnv] source_file ... target_dir\n",
        adapt=_ln,
    ),
    "ls": Command(
        "/bin", "@1ABCDFGHILOPRSTUWXabcdefghiklmnopqrstuvwxy%,",
        "usage: ls [-@ABCFGHILOPRSTUWXabcdefghiklmnopqrstuvwxy1%,] [--color=when] [-D format] [file ...]\n",
        adapt=_ls,
    ),
    "mkdir": Command("/bin", "m:pv", "usage: mkdir [-pv] [-m mode] directory_name ...\n", code=64),
    "mv": Command(
        "/bin", "fhinv",
        "usage: mv [-f | -i | -n] [-hv] source target\n       mv [-f | -i | -n] [-v] source ... directory\n",
        code=64, adapt=_mv,
    ),
    "readlink": Command("/usr/bin", "fn", "usage: readlink [-fn] [file ...]\n"),
    "realpath": Command("/bin", "q", "usage: realpath [-q] [path ...]\n"),
    "rm": Command(
        "/bin", "dfiIPRrvWx",
        "usage: rm [-f | -i] [-dIPRrvWx] file ...\n       unlink [--] file\n", code=64, drop="PWx",
    ),
    "sed": Command(
        "/usr/bin", "EI:ae:f:i:lnru",
        "usage: sed script [-EHalnru] [-i extension] [file ...]\n"
        "\tsed [-EHalnu] [-i extension] [-e script] ... [-f script_file] ... [file ...]\n",
        adapt=_sed,
    ),
    "sum": Command("/usr/bin", "", "usage: sum [file ...]\n"),
    "tail": Command(
        "/usr/bin", "Fb:c:fn:rqv",
        "usage: tail [-F | -f | -r] [-q] [-b # | -c # | -n #] [file ...]\n", adapt=_tail,
    ),
    "touch": Command(
        "/usr/bin", "A:acd:fhmr:t:",
        "usage: touch [-A [-][[hh]mm]SS] [-achm] [-r file] [-t [[CC]YY]MMDDhhmm[.SS]]\n"
        "       [-d YYYY-MM-DDThh:mm:SS[.frac][tz]] file ...\n",
        drop="f",
    ),
    "tr": Command(
        "/usr/bin", "Ccdsu",
        "usage: tr [-Ccsu] string1 string2\n       tr [-Ccu] -d string1\n       tr [-Ccu] -s string1\n"
        "       tr [-Ccu] -ds string1 string2\n",
        drop="u",
    ),
    "xargs": Command(
        "/usr/bin", "0E:I:J:L:n:oP:pR:S:s:rtx",
        "usage: xargs [-0opt] [-E eofstr] [-I replstr [-R replacements] [-S replsize]]\n"
        "             [-J replstr] [-L number] [-n number [-x]] [-P maxprocs]\n"
        "             [-s size] [utility [argument ...]]\n",
        adapt=_xargs,
    ),
}
for _alias in ("egrep", "fgrep"):
    COMMANDS[_alias] = dataclasses.replace(COMMANDS["grep"])
_READLINK_BEFORE_12_3 = Command("/usr/bin", "n", "usage: readlink [-n] [file ...]\n")
PLACES = {**{name: command.directory for name, command in COMMANDS.items()}, "rsync": "/usr/bin"}

_HISTORIC_COUNT = ("head", "tail")


def translate(arguments, cwd, host):
    """Returns what the command line becomes on Debian, or its refusal.

    `cwd` is a directory descriptor, `host` what the host pretends to be.
    """
    name, words = arguments[0], arguments[1:]
    if name == "rsync":
        return _rsync(words)
    command = COMMANDS[name]
    if name == "readlink" and not host["readlink_f"]:
        command = _READLINK_BEFORE_12_3
    if name in _HISTORIC_COUNT and words and words[0][:1] in "-+" and words[0][1:2].isdigit():
        words = ["-n", words[0].removeprefix("-"), *words[1:]]
    long_words = []
    if name in ("grep", "egrep", "fgrep", "ls"):  # these take long options on a Mac too
        long_words = [word for word in words if word.startswith("--") and len(word) > 2]
        words = [word for word in words if word not in long_words]
    try:
        found, operands = getopt.parse(name, words, command.options)
    except getopt.UsageError as error:
        return Refusal(f"{error}\n{command.usage}", command.code)
    if command.adapt is not None:
        answer = command.adapt(name, found, operands, cwd)
    else:
        answer = _run(name, getopt.join(found, command.drop), operands, posix=command.posix)
    if long_words and isinstance(answer, Exec):
        answer.arguments[1:1] = long_words
    return answer
