"""launchd's error numbers and their texts: Darwin's errno values below 107, launchd's own range above.

Linux numbers them otherwise (EINPROGRESS, EALREADY), so nothing here comes from the errno module.
"""

EPERM = 1
ENOENT = 2
ESRCH = 3
EIO = 5
EACCES = 13
EEXIST = 17
EINVAL = 22
EINPROGRESS = 36
EALREADY = 37
BAD_PLIST = 109
NO_LABEL = 110
NO_PROGRAM = 111
NO_DOMAIN = 112
NO_SERVICE = 113
NO_USER = 114
NO_GROUP = 115
DISABLED = 119
BAD_OWNERSHIP = 122
DOMAIN_UNSUPPORTED = 125
WRONG_SESSION = 134
SIP = 150

TEXTS = {
    0: "no error",
    1: "Operation not permitted",
    2: "No such file or directory",
    3: "No such process",
    5: "Input/output error",
    13: "Permission denied",
    17: "File exists",
    22: "Invalid argument",
    36: "Operation now in progress",
    37: "Operation already in progress",
    107: "Malformed bundle",
    108: "Invalid path",
    109: "Invalid property list",
    110: "Invalid or missing service identifier",
    111: "Invalid or missing Program/ProgramArguments",
    112: "Could not find specified domain",
    113: "Could not find specified service",
    114: "The specified username does not exist",
    115: "The specified group does not exist",
    116: "Routine not yet implemented",
    118: "Bad response from server",
    119: "Service is disabled",
    120: "Bad subsystem destination for request",
    121: "Path not searched for services",
    122: "Path had bad ownership/permissions",
    123: "Path is whitelisted for domain",
    124: "Domain is tearing down",
    125: "Domain does not support specified action",
    126: "Request type is no longer supported",
    127: "The specified service did not ship with the operating system",
    128: "The specified path is not a bundle",
    129: "The service was superseded by a later version",
    130: "The system encountered a condition where behavior was undefined",
    131: "Out of order requests",
    132: "Request for stale data",
    133: "Multiple errors were returned; see stderr",
    134: "Service cannot load in requested session",
    135: "Process is not managed",
    136: "Action not allowed on singleton service",
    137: "Service does not support the specified action",
    138: "Service cannot be loaded on this hardware",
    139: "Service cannot presently execute",
    140: "Service name is reserved or invalid",
    141: "Reentrancy avoided",
    142: "Operation only supported on development builds",
    143: "Requested entry was cached",
    144: "Requestor lacks required entitlement",
    145: "Endpoint is hidden",
    146: "Domain is in on-demand-only mode",
    150: "Operation not permitted while System Integrity Protection is engaged",
    153: "Completely unexpected error",
    154: "Requestor is not a platform binary",
    155: "Program is quarantined",
    156: "Domain creation with that UID is not allowed",
    159: "Sandbox restriction",
    161: "Refused by background task management policy",
}

# sysexits(3), as `launchctl print` appends them to an exit code.
SYSEXITS = {
    64: "EX_USAGE",
    65: "EX_DATAERR",
    66: "EX_NOINPUT",
    67: "EX_NOUSER",
    68: "EX_NOHOST",
    69: "EX_UNAVAILABLE",
    70: "EX_SOFTWARE",
    71: "EX_OSERR",
    72: "EX_OSFILE",
    73: "EX_CANTCREAT",
    74: "EX_IOERR",
    75: "EX_TEMPFAIL",
    76: "EX_PROTOCOL",
    77: "EX_NOPERM",
    78: "EX_CONFIG",
}

# Darwin's strsignal(3).
SIGNALS = {
    1: "Hangup",
    2: "Interrupt",
    3: "Quit",
    4: "Illegal instruction",
    5: "Trace/BPT trap",
    6: "Abort trap",
    8: "Floating point exception",
    9: "Killed",
    11: "Segmentation fault",
    13: "Broken pipe",
    14: "Alarm clock",
    15: "Terminated",
}
# Linux signals whose Darwin number differs: SIGBUS, SIGUSR1, SIGUSR2, SIGSYS.
TO_DARWIN = {7: 10, 10: 30, 12: 31, 31: 12}
TO_LINUX = {darwin: linux for linux, darwin in TO_DARWIN.items()}
SIGNALS.update({10: "Bus error", 12: "Bad system call", 30: "User defined signal 1", 31: "User defined signal 2"})


def text(number):
    """Returns what `launchctl error` says after the number."""
    return TEXTS.get(number, "unknown error code")


class LaunchdError(Exception):
    """A request that launchd refuses; `number` is Darwin's or launchd's error number."""

    def __init__(self, number, detail=""):
        super().__init__(detail or text(number))
        self.number = number
        self.detail = detail
