"""One property list of launchd.plist(5): read once, at bootstrap, and checked as strictly as launchd does.

Types are strict: a value of another type is dropped with a log line, as an unknown key is. Knows nothing of processes.
"""

import dataclasses
import grp
import os
import plistlib
import pwd
import stat

from . import errors
from .errors import LaunchdError

DEFAULT_THROTTLE = 10
DEFAULT_EXIT_TIMEOUT = 5
STANDARD_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
CALENDAR_KEYS = ("Minute", "Hour", "Day", "Weekday", "Month")


@dataclasses.dataclass
class Definition:
    """What launchd keeps of a property list after bootstrap."""

    label: str
    path: str
    program: str
    arguments: list
    inferred: bool
    environment: dict = dataclasses.field(default_factory=dict)
    user: str | None = None
    group: str | None = None
    init_groups: bool = True
    directory: str | None = None
    umask: int | None = None
    run_at_load: bool = False
    keep_alive: object = False
    throttle: int = DEFAULT_THROTTLE
    exit_timeout: int = DEFAULT_EXIT_TIMEOUT
    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    process_type: str = "Standard"
    nice: int = 0
    limits: dict = dataclasses.field(default_factory=dict)
    abandon_group: bool = False
    interval: int | None = None
    calendar: list = dataclasses.field(default_factory=list)
    only_once: bool = False
    disabled: bool = False
    warnings: list = dataclasses.field(default_factory=list)


def check_file(path, owner=0):
    """Refuses a property list that others could have written (122), or that is not there (2)."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise LaunchdError(errors.ENOENT, path) from error
    if not stat.S_ISREG(status.st_mode):
        raise LaunchdError(errors.EIO, path)
    if status.st_uid != owner or status.st_mode & 0o022:
        raise LaunchdError(errors.BAD_OWNERSHIP, path)


def parse(path):
    """Returns the dictionary of an XML or binary property list; JSON and the old text form are refused."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LaunchdError(errors.EIO, path) from error
    try:
        content = plistlib.loads(data)
    except Exception as error:  # plistlib raises whatever its parser meets
        raise LaunchdError(errors.BAD_PLIST, path) from error
    if not isinstance(content, dict):
        raise LaunchdError(errors.BAD_PLIST, path)
    return content


class _Reader:
    """Takes keys of exactly one type out of a property list."""

    def __init__(self, content):
        self.content = content
        self.warnings = []

    def take(self, key, kind, default=None):
        value = self.content.get(key)
        if value is None:
            return default
        # bool is an int in Python, and is not one in a property list.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.warnings.append(f"The {key} key is of the wrong type: ignored")
            return default
        return value


def load(path, owner=0, check_owner=True):
    """Reads, checks and snapshots the property list at `path`.

    Raises LaunchdError with the number that launchd gives: 2, 109, 110, 111, 114, 115, 122, 134.
    """
    if check_owner:
        check_file(path, owner)
    content = parse(path)
    read = _Reader(content)
    label = read.take("Label", str)
    if not label:
        raise LaunchdError(errors.NO_LABEL, path)
    program = read.take("Program", str)
    arguments = read.take("ProgramArguments", list)
    if arguments is not None and not all(isinstance(item, str) for item in arguments):
        read.warnings.append("The ProgramArguments key holds something that is no string: ignored")
        arguments = None
    if not program and not arguments:
        raise LaunchdError(errors.NO_PROGRAM, path)
    if "LimitLoadToSessionType" in content:
        sessions = content["LimitLoadToSessionType"]
        if "System" not in (sessions if isinstance(sessions, list) else [sessions]):
            raise LaunchdError(errors.WRONG_SESSION, path)
    definition = Definition(
        label=label,
        path=path,
        program=program or arguments[0],
        arguments=list(arguments or [program]),
        inferred=not program,
        environment={
            key: value
            for key, value in read.take("EnvironmentVariables", dict, {}).items()
            if isinstance(key, str) and isinstance(value, str)
        },
        user=read.take("UserName", str),
        group=read.take("GroupName", str),
        init_groups=read.take("InitGroups", bool, True),
        directory=read.take("WorkingDirectory", str),
        umask=_umask(read),
        run_at_load=read.take("RunAtLoad", bool, False),
        keep_alive=_keep_alive(read),
        throttle=_throttle(read),
        exit_timeout=max(0, read.take("ExitTimeOut", int, DEFAULT_EXIT_TIMEOUT)),
        stdin=read.take("StandardInPath", str),
        stdout=read.take("StandardOutPath", str),
        stderr=read.take("StandardErrorPath", str),
        process_type=read.take("ProcessType", str, "Standard"),
        nice=read.take("Nice", int, 0),
        limits=_limits(read),
        abandon_group=read.take("AbandonProcessGroup", bool, False),
        interval=read.take("StartInterval", int),
        calendar=_calendar(read),
        only_once=read.take("LaunchOnlyOnce", bool, False),
        disabled=read.take("Disabled", bool, False),
    )
    _check_accounts(definition)
    definition.warnings = read.warnings
    return definition


def _umask(read):
    # An integer is decimal (18 is 022); a string is octal.
    value = read.content.get("Umask")
    if isinstance(value, str):
        try:
            return int(value, 8)
        except ValueError:
            read.warnings.append("The Umask key is no octal number: ignored")
            return None
    return read.take("Umask", int)


def _keep_alive(read):
    value = read.content.get("KeepAlive")
    if value is None and read.content.get("OnDemand") is False:
        return True
    if value is None or isinstance(value, (bool, dict)):
        return value or False
    read.warnings.append("The KeepAlive key is of the wrong type: ignored")
    return False


def _throttle(read):
    value = read.take("ThrottleInterval", int, DEFAULT_THROTTLE)
    if value <= 0:
        read.warnings.append("ThrottleInterval set to zero. You're not that important. Ignoring.")
        return DEFAULT_THROTTLE
    return value


def _limits(read):
    limits = {}
    for key, kind in (("HardResourceLimits", "hard"), ("SoftResourceLimits", "soft")):
        for name, value in read.take(key, dict, {}).items():
            if isinstance(value, int) and not isinstance(value, bool):
                limits[(name, kind)] = value
    return limits


def _calendar(read):
    value = read.content.get("StartCalendarInterval")
    if value is None:
        return []
    entries = value if isinstance(value, list) else [value]
    kept = []
    for entry in entries:
        if not isinstance(entry, dict):
            read.warnings.append("The StartCalendarInterval key is of the wrong type: ignored")
            continue
        kept.append({
            key: number
            for key, number in entry.items()
            if key in CALENDAR_KEYS and isinstance(number, int) and not isinstance(number, bool)
        })
    return kept


def _check_accounts(definition):
    if definition.user is not None:
        try:
            pwd.getpwnam(definition.user)
        except KeyError as error:
            raise LaunchdError(errors.NO_USER, definition.user) from error
    if definition.group is not None:
        try:
            grp.getgrnam(definition.group)
        except KeyError as error:
            raise LaunchdError(errors.NO_GROUP, definition.group) from error
