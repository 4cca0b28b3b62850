"""What `launchctl print`, `print-disabled` and `list` show: tabs, nested blocks that repeat keys, lines without values."""

import json

from . import errors
from . import job as jobs
from .definition import STANDARD_PATH

_SPAWN_TYPES = {
    "Interactive": "interactive (4)",
    "Background": "background (5)",
    "Adaptive": "adaptive (6)",
}


def _block(name, lines, depth=1):
    tabs = "\t" * depth
    return [f"{tabs}{name} = {{", *(f"{tabs}\t{line}" for line in lines), f"{tabs}}}", ""]


def _last_exit(job):
    if not job.ever_exited:
        return ["\tlast exit code = (never exited)"]
    if job.signal_number is not None:
        return [f"\tlast terminating signal = {errors.SIGNALS.get(job.signal_number, 'Unknown signal')}: {job.signal_number}"]
    name = errors.SYSEXITS.get(job.exit_code)
    return [f"\tlast exit code = {job.exit_code}{': ' + name if name else ''}"]


def _properties(job):
    definition = job.definition
    words = []
    if definition.keep_alive:
        words.append("keepalive")
    if definition.run_at_load or job.wants_start_at_load():
        words.append("runatload")
    if definition.inferred:
        words.append("inferred program")
    return " | ".join(words)


def _coalition(kind, number, job):
    active = job.pid is not None
    return _block(f"{kind} coalition", [
        f"ID = {number}",
        f"type = {kind}",
        f"state = {'active' if active else 'terminated'}",
        f"active count = {1 if active else 0}",
        f"name = {job.label}",
    ])


def _triggers(job):
    lines = []
    for index, entry in enumerate(job.definition.calendar):
        name = f"{job.label}.{268435465 + index}"
        lines += [
            f"{name} => {{",
            "\tkeepalive = 0",
            f"\tservice = {job.label}",
            "\tstream = com.apple.launchd.calendarinterval",
            "\tmonitor = com.apple.UserEventAgent-System",
            "\tdescriptor = {",
            *(f'\t\t"{key}" => {value}' for key, value in entry.items()),
            "\t}",
            "}",
        ]
    return _block("event triggers", lines) if lines else []


def service(job, flavour):
    """Returns the text of `launchctl print DOMAIN/LABEL`; `flavour` is the macOS release that it imitates."""
    definition = job.definition
    running = job.pid is not None
    domain = job.domain.name
    out = [
        f"{domain}/{job.label} = {{",
        f"\tactive count = {1 if running else 0}",
        f"\tpath = {definition.path}",
        f"\ttype = {'LaunchDaemon' if domain == 'system' else 'LaunchAgent'}",
        f"\tstate = {job.state}",
        "",
        f"\tprogram = {definition.program}",
        *_block("arguments", definition.arguments),
    ]
    if definition.directory:
        out += [f"\tworking directory = {definition.directory}", ""]
    for key, path in (("stdin", definition.stdin), ("stdout", definition.stdout), ("stderr", definition.stderr)):
        if path:
            out.append(f"\t{key} path = {path}")
    if domain != "system":
        out += _block("inherited environment", ["SSH_AUTH_SOCK => /private/tmp/com.apple.launchd.x/Listeners"])
    out += _block("default environment", [f"PATH => {STANDARD_PATH}"])
    shown = {"OSLogRateLimit": "64", **definition.environment, "XPC_SERVICE_NAME": job.label}
    out += _block("environment", [f"{key} => {value}" for key, value in shown.items()])
    out.append(f"\tdomain = {domain if domain == 'system' else domain + ' [100041]'}")
    if domain != "system":
        out.append("\tasid = 100041")
    if definition.user:
        out.append(f"\tusername = {definition.user}")
    if definition.group:
        out.append(f"\tgroup = {definition.group}")
    out.append(f"\tminimum runtime = {job.minimum_runtime()}")
    if job.knobs["backoff"]:
        out.append(f"\tbase minimum runtime = {definition.throttle}")
    out += [f"\texit timeout = {definition.exit_timeout}"]
    if definition.nice:
        out.append(f"\tnice = {definition.nice}")
    out.append(f"\truns = {job.runs}")
    if job.crashes:
        out.append(f"\tsuccessive crashes = {job.crashes}")
    if running:
        out += [f"\tpid = {job.pid}", f"\timmediate reason = {job.reason}"]
    if job.pended:
        out.append(f"\tpended nondemand spawn = {job.pended}")
    out += [
        "\tforks = 0",
        f"\texecs = {1 if job.runs and not job.spawn_failed else 0}",
    ]
    if flavour > 14:
        out += ["\tinitialized = 1", "\ttrampolined = 1"]
    out += [
        "\tstarted suspended = 0",
        "\tproxy started suspended = 0",
        "\tchecked allocations = 0 (queried = 1)",
    ]
    if running:
        out += ["\tchecked allocations reason = no host", "\tchecked allocations flags = 0x0"]
    out += [*_last_exit(job), ""]
    if definition.interval:
        out += [f"\trun interval = {definition.interval} seconds", ""]
    out += _triggers(job)
    out += _block("semaphores", ["successful exit => 0"])
    if running:
        out += _coalition("resource", 2210, job) + _coalition("jetsam", 2211, job)
    soft = {name: value for (name, kind), value in definition.limits.items() if kind == "soft"}
    if "NumberOfFiles" in soft:
        out += _block("resource limits", [f"maxfiles (soft) => {soft['NumberOfFiles']}"])
    out += [
        f"\tspawn type = {_SPAWN_TYPES.get(definition.process_type, 'daemon (3)')}",
        "\tjetsam priority = 40",
        "\tjetsam memory limit (active) = (unlimited)",
        "\tjetsam memory limit (inactive) = (unlimited)",
        "\tjetsamproperties category = daemon",
        "\tsubmitted job. ignore execute allowed",
        "\tjetsam thread limit = 32",
        "\tcpumon = default",
        f"\tjob state = {_job_state(job)}",
    ]
    if flavour > 14:
        out += [
            "\tprobabilistic guard malloc policy = {",
            "\t\tactivation rate = 1/1000",
            "\t\tsample rate = 1/0",
            "\t}",
            "",
        ]
    out += [f"\tproperties = {_properties(job)}", "}"]
    return "\n".join(out) + "\n"


def _job_state(job):
    if job.pid is not None:
        return "running"
    if job.spawn_failed:
        return "spawn failed"
    return "exited" if job.ever_exited else "uninitialized"


def domain(name, jobs_of_domain, disabled):
    """Returns a short form of `launchctl print DOMAIN`."""
    rows = [f"\t\t{job.pid or 0:>8} {_status(job):>6} \t{job.label}" for job in jobs_of_domain]
    return "\n".join([
        f"{name} = {{",
        "\ttype = system" if name == "system" else "\ttype = user",
        "\thandle = 0",
        f"\tactive count = {len(rows)}",
        f"\tservice count = {len(rows)}",
        "\tactive service count = " + str(sum(1 for job in jobs_of_domain if job.pid)),
        "\tservices = {",
        *rows,
        "\t}",
        "",
        *disabled.rstrip("\n").lstrip("\n").split("\n"),
        "}",
    ]) + "\n"


def disabled_services(store, style):
    """Returns the text of `launchctl print-disabled`; `style` is "word" or, as up to macOS 12, "bool"."""
    words = {True: "disabled", False: "enabled"} if style == "word" else {True: "true", False: "false"}
    return "\n".join([
        "",
        "\tdisabled services = {",
        *(f'\t\t"{label}" => {words[value]}' for label, value in store.items()),
        "\t}",
        "\tlogin item associations = {",
        "\t}",
    ]) + "\n"


def _status(job):
    if job.signal_number is not None:
        return -job.signal_number
    return job.exit_code or 0


def table(jobs_of_domain):
    """Returns the text of `launchctl list`."""
    rows = [f"{job.pid or '-'}\t{_status(job)}\t{job.label}" for job in jobs_of_domain]
    return "\n".join(["PID\tStatus\tLabel", *rows]) + "\n"


def legacy(job):
    """Returns the text of `launchctl list LABEL`: LastExitStatus is a wait(2) status."""
    definition = job.definition
    wait_status = job.signal_number if job.signal_number is not None else (job.exit_code or 0) << 8
    lines = ["{"]
    if definition.stdout:
        lines.append(f"\t\"StandardOutPath\" = {json.dumps(definition.stdout)};")
    lines.append('\t"LimitLoadToSessionType" = "System";')
    if definition.stderr:
        lines.append(f"\t\"StandardErrorPath\" = {json.dumps(definition.stderr)};")
    lines.append(f"\t\"Label\" = {json.dumps(definition.label)};")
    lines.append(f"\t\"OnDemand\" = {'false' if definition.keep_alive else 'true'};")
    lines.append(f"\t\"LastExitStatus\" = {wait_status};")
    if job.pid is not None:
        lines.append(f"\t\"PID\" = {job.pid};")
    lines.append(f"\t\"Program\" = {json.dumps(definition.program)};")
    lines.append("\t\"ProgramArguments\" = (")
    lines += [f"\t\t{json.dumps(argument)};" for argument in definition.arguments]
    lines += ["\t);", "};"]
    return "\n".join(lines) + "\n"


def reason_word(job):
    """Returns what `launchctl blame` says of a running job."""
    return job.reason if job.state == jobs.RUNNING else None
