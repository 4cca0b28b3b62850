"""sysctl, sw_vers, uname, hostname, uptime, and the stubs of Xcode's tools."""

import json
import os
import sys
import time

from ..clock import HostClock
from ..spec import CHIPS
from . import getopt, memory_model
from .registry import served

_WRITABLE = {"iogpu.wired_limit_mb", "iogpu.wired_lwm_mb", "kern.maxfiles", "kern.maxfilesperproc", "kern.ipc.somaxconn"}


def _darwin(host):
    # macOS 11 to 15 ran Darwin 20 to 24; 26 runs Darwin 25.
    major = int(host["macos"].split(".")[0])
    release = major + 9 if major < 26 else major - 1
    return f"{release}.{(host['macos'].split('.') + ['0'])[1]}.0"


def oids(context):
    """Returns every name that sysctl knows on this host."""
    host = context.host
    model, performance, efficiency, _ = CHIPS[host["chip"]]
    cores = performance + efficiency
    memory = memory_model.of_host(context)
    boot = context.boot_time()
    local = time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(boot))
    mib = memory_model.MIB
    load = [f"{value:.2f}" for value in os.getloadavg()]
    swap_free = memory.swap_total - memory.swap_used
    values = {
        "kern.ostype": "Darwin",
        "kern.osrelease": _darwin(host),
        "kern.osproductversion": host["macos"],
        "kern.osversion": host["build"],
        "kern.hostname": f"{host['name']}.local",
        "kern.boottime": f"{{ sec = {int(boot)}, usec = {int(boot % 1 * 1e6)} }} {local}",
        "kern.bootsessionuuid": context.boot["session"],
        "kern.maxfiles": 276480,
        "kern.maxfilesperproc": 138240,
        "kern.ipc.somaxconn": 128,
        "kern.memorystatus_vm_pressure_level": memory.pressure,
        "kern.memorystatus_level": memory.level,
        "vm.loadavg": "{ " + " ".join(load) + " }",
        "vm.swapusage": (
            f"total = {memory.swap_total / mib:.2f}M  used = {memory.swap_used / mib:.2f}M"
            f"  free = {swap_free / mib:.2f}M  (encrypted)"
        ),
        "hw.model": model,
        "hw.ncpu": cores,
        "hw.activecpu": cores,
        "hw.physicalcpu": cores,
        "hw.physicalcpu_max": cores,
        "hw.logicalcpu": cores,
        "hw.logicalcpu_max": cores,
        "hw.memsize": host["memory"],
        "hw.memsize_usable": host["memory"] - host["memory"] // 64,
        "hw.pagesize": memory_model.PAGE,
        "hw.optional.arm64": 1,
        "hw.nperflevels": 2,
        "hw.perflevel0.name": "Performance",
        "hw.perflevel0.physicalcpu": performance,
        "hw.perflevel0.logicalcpu": performance,
        "hw.perflevel1.name": "Efficiency",
        "hw.perflevel1.physicalcpu": efficiency,
        "hw.perflevel1.logicalcpu": efficiency,
        "machdep.cpu.brand_string": f"Apple {host['chip']}",
        "machdep.cpu.core_count": cores,
        "iogpu.wired_limit_mb": 0,
        "iogpu.wired_lwm_mb": 0,
        "iogpu.dynamic_lwm": 1,
    }
    values.update({key: value for key, value in context.state.items() if key in values})
    return values


@served("/usr/sbin/sysctl")
def sysctl(arguments, context):
    """Prints and sets names; an unknown one is said on stderr and the others still answered."""
    try:
        found, names = getopt.parse("sysctl", arguments[1:], "AabB:deFhiIlNnoqtTwWXx")
    except getopt.UsageError as error:
        print(error, file=sys.stderr)
        print("usage: sysctl [-bdehiNnoqx] name[=value] ...\n       sysctl [-bdehNnoqx] -a", file=sys.stderr)
        return 1
    flags = {letter for letter, _ in found}
    values = oids(context)
    if "a" in flags:
        names = list(values)
    code = 0
    for word in names:
        name, equals, new = word.partition("=")
        matching = [name] if name in values else [key for key in values if key.startswith(name + ".")]
        if not matching:
            if "i" not in flags:
                print(f"sysctl: unknown oid '{name}'", file=sys.stderr)
                code = 1
            continue
        if equals:
            code = _set(name, new, values, flags, context) or code
            continue
        for key in matching:
            print(values[key] if "n" in flags else f"{key}: {values[key]}")
    return code


def _set(name, new, values, flags, context):
    if context.uid != 0 or name not in _WRITABLE:
        print(f"sysctl: {name}={new}: Operation not permitted", file=sys.stderr)
        return 1
    if not new.isdigit():
        print(f"sysctl: invalid integer '{new}'", file=sys.stderr)
        return 1
    old = values[name]
    context.remember(name, int(new))
    print(f"{old} -> {new}" if "n" in flags else f"{name}: {old} -> {new}")
    return 0


@served("/usr/bin/sw_vers")
def sw_vers(arguments, context):
    """Prints the release."""
    host = context.host
    single = {"productname": "macOS", "productversion": host["macos"], "buildversion": host["build"]}
    if len(arguments) == 1:
        print(f"ProductName:\t\tmacOS\nProductVersion:\t\t{host['macos']}\nBuildVersion:\t\t{host['build']}")
        return 0
    key = arguments[1].lstrip("-").lower()
    if key not in single:
        print("Usage: sw_vers [--help|--productName|--productVersion|--productVersionExtra|--buildVersion]", file=sys.stderr)
        return 1
    print(single[key])
    return 0


@served("/usr/bin/uname")
def uname(arguments, context):
    """Prints Darwin's names."""
    host = context.host
    release = _darwin(host)
    parts = {
        "s": "Darwin",
        "n": f"{host['name']}.local",
        "r": release,
        "v": f"Darwin Kernel Version {release}: Mon Jul 14 11:30:29 PDT 2025; root:xnu-11417.140.69~1/RELEASE_ARM64_T6000",
        "m": "arm64",
        "p": "arm",
    }
    try:
        found, _ = getopt.parse("uname", arguments[1:], "amnoprsv")
    except getopt.UsageError as error:
        print(f"{error}\nusage: uname [-amnoprsv]", file=sys.stderr)
        return 1
    flags = {letter.replace("o", "s") for letter, _ in found} or {"s"}
    if "a" in flags:
        flags |= set("snrvm")
    print(" ".join(value for key, value in parts.items() if key in flags))
    return 0


@served("/bin/hostname")
def hostname(arguments, context):
    """Prints the host's name."""
    name = f"{context.host['name']}.local"
    print(name.partition(".")[0] if "-s" in arguments else name)
    return 0


@served("/usr/sbin/scutil")
def scutil(arguments, context):
    """Prints the names that the system configuration holds."""
    if arguments[1:2] == ["--get"] and arguments[2:3] in (["ComputerName"], ["LocalHostName"], ["HostName"]):
        print(context.host["name"])
        return 0
    print("lab: scutil only knows --get", file=sys.stderr)
    return 70


@served("/usr/bin/uptime")
def uptime(arguments, context):
    """Prints one of BSD's several shapes."""
    if len(arguments) > 1:
        print("usage: uptime", file=sys.stderr)
        return 1
    now = HostClock.of_this_host().now()
    seconds = int(now - context.boot_time())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    words = []
    if days:
        words.append(f"{days} day{'s' if days > 1 else ''}")
    if hours and minutes:
        words.append(f"{hours:2}:{minutes:02}")
    elif hours:
        words.append(f"{hours} hr{'s' if hours > 1 else ''}")
    elif minutes:
        words.append(f"{minutes} min{'s' if minutes > 1 else ''}")
    else:
        words.append(f"{seconds % 60} secs")
    clock = time.strftime("%k:%M", time.localtime(now))
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"{clock}  up {', '.join(words)}, 0 users, load averages: {load}")
    return 0


@served("/usr/bin/python3", "/usr/bin/git", "/usr/bin/make", "/usr/bin/cc")
def xcode_stub(_arguments, _context):
    """Fails as Xcode's stubs do without the developer tools."""
    print(
        "xcode-select: note: No developer tools were found, requesting install.\n"
        "If developer tools are located at a non-default location on disk, use `sudo xcode-select --switch"
        " path/to/Xcode.app` to specify the Xcode that you wish to use for command line developer tools, and cancel the"
        " installation dialog.\nSee `man xcode-select` for more details.",
        file=sys.stderr,
    )
    return 1


@served("/usr/bin/arch")
def arch(_arguments, _context):
    """Prints the architecture."""
    print("arm64")
    return 0


@served("/usr/bin/csrutil")
def csrutil(arguments, _context):
    """Says that System Integrity Protection is on."""
    if arguments[1:] != ["status"]:
        print("lab: csrutil only knows status", file=sys.stderr)
        return 70
    print("System Integrity Protection status: enabled.")
    return 0


@served("/usr/sbin/system_profiler")
def system_profiler(arguments, context):
    """Prints the hardware overview, as text or JSON."""
    host = context.host
    model, performance, efficiency, gpu = CHIPS[host["chip"]]
    cores = f"{performance + efficiency} ({performance} performance and {efficiency} efficiency)"
    if "-json" in arguments:
        entry = {
            "_name": "hardware_overview", "chip_type": f"Apple {host['chip']}", "machine_model": model,
            "number_processors": f"proc {performance + efficiency}:{performance}:{efficiency}",
            "physical_memory": f"{host['memory'] >> 30} GB",
        }
        gpus = {"_name": f"Apple {host['chip']}", "sppci_cores": str(gpu)}
        print(json.dumps({"SPHardwareDataType": [entry], "SPDisplaysDataType": [gpus]}, indent=2))
        return 0
    print("Hardware:\n\n    Hardware Overview:\n")
    print(f"      Model Identifier: {model}\n      Chip: Apple {host['chip']}\n      Total Number of Cores: {cores}")
    print(f"      Memory: {host['memory'] >> 30} GB\n")
    return 0
