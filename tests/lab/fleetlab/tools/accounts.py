"""dscl (reading), dseditgroup's absence, sysadminctl's refusal."""

import grp
import pwd
import sys

from .registry import served


@served("/usr/bin/dscl")
def dscl(arguments, _context):
    """Reads users and groups of the local node."""
    words = [word for word in arguments[1:] if word != "-q"]
    if len(words) < 3 or words[0] not in (".", "/Local/Default", "localhost"):
        print("lab: dscl only reads the local node", file=sys.stderr)
        return 70
    verb, path, keys = words[1].lstrip("-"), words[2], words[3:]
    if verb == "list" and path == "/Users":
        print("\n".join(sorted(entry.pw_name for entry in pwd.getpwall())))
        return 0
    if verb != "read":
        print("lab: dscl only knows -read and -list /Users", file=sys.stderr)
        return 70
    values = _record(path)
    if values is None:
        print("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)", file=sys.stderr)
        return 56
    for key in keys or values:
        if key not in values:
            print(f"No such key: {key}", file=sys.stderr)
            return 1
        print(f"{key}: {values[key]}")
    return 0


def _record(path):
    kind, _, name = path.strip("/").partition("/")
    try:
        if kind == "Users":
            entry = pwd.getpwnam(name)
            return {
                "NFSHomeDirectory": entry.pw_dir, "PrimaryGroupID": entry.pw_gid, "RecordName": entry.pw_name,
                "UniqueID": entry.pw_uid, "UserShell": entry.pw_shell,
            }
        if kind == "Groups":
            group = grp.getgrnam(name)
            return {
                "GroupMembership": " ".join(group.gr_mem), "PrimaryGroupID": group.gr_gid, "RecordName": group.gr_name,
            }
    except KeyError:
        return None
    return None


@served("/usr/sbin/sysadminctl")
def sysadminctl(_arguments, _context):
    """Accounts are not changed on these hosts."""
    print("lab: sysadminctl is not imitated", file=sys.stderr)
    return 70
