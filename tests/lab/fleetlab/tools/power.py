"""pmset, powermetrics, caffeinate, systemsetup, fdesetup, softwareupdate, newsyslog, log."""

import os
import subprocess
import sys
import time

from . import getopt
from .registry import served

_SETTINGS = {
    "standby": "0", "Sleep On Power Button": "1", "autorestart": "1", "hibernatefile": "/var/vm/sleepimage",
    "powernap": "0", "networkoversleep": "0", "disksleep": "0", "sleep": "0", "hibernatemode": "0",
    "ttyskeepawake": "1", "displaysleep": "0", "tcpkeepalive": "1", "lowpowermode": "0", "womp": "1",
}


def _settings(context):
    return {**_SETTINGS, **context.override("pmset", {}), **context.state.get("pmset", {})}


@served("/usr/bin/pmset")
def pmset(arguments, context):
    """Shows power settings; sets them for root."""
    words = arguments[1:]
    if not words:
        print("Usage: pmset <options>\nSee pmset(1) for details: \'man pmset\'")
        return 64
    if words[0] == "-g":
        return _pmset_get(words[1:], context)
    if context.uid != 0:
        print(f"'{os.path.basename(arguments[0])}' must be run as root...")
        return 1
    if words[0] in ("-a", "-c", "-b", "-u"):
        words = words[1:]
    if words[:1] in (["repeat"], ["schedule"]):
        context.remember("pmset_events", [] if words[1:2] == ["cancel"] else words)
        return 0
    changed = dict(zip(words[::2], words[1::2], strict=False))
    unknown = [key for key in changed if key not in _SETTINGS and key != "disablesleep"]
    if unknown or len(words) % 2:
        print("Usage: pmset <options>\nSee pmset(1) for details: 'man pmset'")
        return 64
    if "disablesleep" in changed:
        changed["SleepDisabled"] = changed.pop("disablesleep")
    context.remember("pmset", {**context.state.get("pmset", {}), **changed})
    return 0


def _pmset_get(words, context):
    topic = words[0] if words else "live"
    settings = _settings(context)
    if topic in ("live", "custom"):
        print("System-wide power settings:")
        if "SleepDisabled" in settings:
            print(f" SleepDisabled\t\t{settings['SleepDisabled']}")
        print("Currently in use:")
        for key in _SETTINGS:
            note = " (sleep prevented by powerd)" if key == "sleep" and settings[key] == "0" else ""
            print(f" {key:<20} {settings[key]}{note}")
    elif topic == "therm":
        for what in ("thermal warning level", "performance warning level", "CPU power status"):
            print(f"Note: No {what} has been recorded")
    elif topic == "assertions":
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S %z')} \nAssertion status system-wide:")
        for name in ("BackgroundTask", "PreventUserIdleDisplaySleep", "PreventSystemSleep", "PreventUserIdleSystemSleep"):
            print(f"   {name:<30} 0")
        print("Listed by owning process:")
    elif topic == "sched":
        print("No scheduled events." if not context.state.get("pmset_events") else "Scheduled power events:")
    else:
        print("Usage: pmset <options>\nSee pmset(1) for details: 'man pmset'")
        return 64
    return 0


@served("/usr/bin/notifyutil")
def notifyutil(arguments, context):
    """Reads keys of notify(3): thermald's thermal pressure, and 0 for every other key, as on a Mac."""
    words = arguments[1:]
    if len(words) != 2 or words[0] != "-g":
        print("usage: notifyutil [-q] [-v] [-z] [-M] [-R] [command ...]", file=sys.stderr)
        return 1
    level = context.override("thermal_pressure", 0) if words[1] == "com.apple.system.thermalpressurelevel" else 0
    print(f"{words[1]} {level}")
    return 0


@served("/usr/bin/powermetrics")
def powermetrics(arguments, context):
    """Prints one sample of an idle machine; root only."""
    if context.uid != 0:
        print("powermetrics must be invoked as the superuser", file=sys.stderr)
        return 1
    stamp = time.strftime("%a %b %e %H:%M:%S %Y %z", time.localtime(context.clock.now()))
    print(f"*** Sampled system activity ({stamp}) (1004.21ms elapsed) ***\n")
    print("**** Processor usage ****\n\nCPU Power: 1204 mW\nGPU Power: 41 mW\nANE Power: 0 mW")
    print("Combined Power (CPU + GPU + ANE): 1245 mW\n")
    print("**** Thermal pressure ****\n\nCurrent pressure level: Nominal\n")
    print("**** GPU usage ****\n\nGPU HW active residency:   0.11% (338 MHz: .11%)\nGPU idle residency:  99.89%\nGPU Power: 41 mW")
    return 0


@served("/usr/bin/caffeinate")
def caffeinate(arguments, _context):
    """Runs a command, or waits for a process or a time."""
    try:
        found, operands = getopt.parse("caffeinate", arguments[1:], "disumt:w:")
    except getopt.UsageError as error:
        print(f"{error}\nusage: caffeinate [-disu] [-t timeout] [-w Process ID] [command arguments...]", file=sys.stderr)
        return 64
    options = dict(found)
    if operands:
        return subprocess.run(operands, check=False).returncode & 0xFF
    deadline = time.monotonic() + float(options.get("t", 86400))
    while time.monotonic() < deadline:
        if "w" in options and not os.path.exists(f"/proc/{options['w']}"):
            return 0
        time.sleep(0.1)
    return 0


@served("/usr/sbin/systemsetup")
def systemsetup(arguments, context):
    """Refuses the unprivileged with exit 0, as the real one does."""
    if context.uid != 0:
        print("You need administrator access to run this tool... exiting!")
        return 0
    verb = arguments[1] if len(arguments) > 1 else ""
    if verb == "-setremotelogin":
        print("setremotelogin: Turning Remote Login on or off requires Full Disk Access privileges.")
        return 0
    answers = {
        "-getremotelogin": "Remote Login: On",
        "-gettimezone": f"Time Zone: {context.host['timezone']}",
        "-getrestartfreeze": "Restart After Freeze: On",
        "-getrestartpowerfailure": "Restart After Power Failure: "
        + ("On" if _settings(context)["autorestart"] == "1" else "Off"),
        "-getusingnetworktime": "Network Time: On",
    }
    if verb in answers:
        print(answers[verb])
        return 0
    if verb == "-setrestartpowerfailure" and len(arguments) > 2:
        value = "1" if arguments[2] == "on" else "0"
        context.remember("pmset", {**context.state.get("pmset", {}), "autorestart": value})
        print(f"setrestartpowerfailure: {arguments[2].capitalize()}")
        print("### Error:-99 File:/AppleInternal/Library/BuildRoots/Admin.framework/InternetServices.m Line:379")
        return 0
    print("lab: systemsetup does not know this option", file=sys.stderr)
    return 70


@served("/usr/bin/fdesetup")
def fdesetup(arguments, context):
    """Says whether FileVault is on."""
    on = context.override("filevault", context.host["filevault"])
    verb = arguments[1] if len(arguments) > 1 else ""
    if verb == "status":
        print(f"FileVault is {'On' if on else 'Off'}.")
        return 0
    if verb == "isactive":
        print("true" if on else "false")
        return 0 if on else 1
    if verb == "supportsauthrestart":
        print("true")
        return 0
    print("Error: Unknown command or missing parameter.", file=sys.stderr)
    return 1


@served("/usr/sbin/softwareupdate")
def softwareupdate(arguments, context):
    """Shows or sets the automatic check."""
    if arguments[1:2] != ["--schedule"]:
        print("lab: softwareupdate only knows --schedule", file=sys.stderr)
        return 70
    value = arguments[2] if len(arguments) > 2 else None
    if value is None:
        state = context.state.get("softwareupdate", context.override("softwareupdate", "on"))
        print(f"Automatic checking for updates is turned {state}")
        return 0
    if context.uid != 0:
        print("softwareupdate: Must be run as root to use the --schedule option with an argument.", file=sys.stderr)
        return 1
    context.remember("softwareupdate", value)
    print(f"Automatic checking for updates is turned {value}")
    return 0


@served("/usr/sbin/newsyslog")
def newsyslog(arguments, context):
    """Checks the configuration with -nv; rotates nothing."""
    if context.uid != 0:
        print("newsyslog: must have root privs", file=sys.stderr)
        return 1
    files = ["/etc/newsyslog.conf"]
    files += sorted(f"/etc/newsyslog.d/{name}" for name in os.listdir("/etc/newsyslog.d") if name.endswith(".conf"))
    verbose = any(word.startswith("-") and "v" in word for word in arguments[1:])
    code = 0
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.split("#")[0].split() for line in file]
        if verbose:
            print(f"Processing {path}")
        for fields in filter(None, lines):
            if len(fields) < 5:
                print(f"newsyslog: malformed line (missing fields): {' '.join(fields)}", file=sys.stderr)
                code = 1
            elif verbose:
                print(f"{fields[0]} <{fields[-4]}{fields[-1]}>: --> will trim at size")
    return code


@served("/usr/bin/log")
def log(arguments, context):
    """Shows launchd's own log for `log show`; everything else is empty."""
    if arguments[1:2] != ["show"]:
        print("lab: log only knows show", file=sys.stderr)
        return 64
    print("Timestamp               Ty Process[PID:TID]")
    if context.uid != 0:
        return 0
    try:
        with open("/private/var/log/com.apple.xpc.launchd/launchd.log", encoding="utf-8", errors="replace") as file:
            sys.stdout.write(file.read()[-100_000:])
    except OSError:
        return 0
    return 0
