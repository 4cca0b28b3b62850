"""What a test may do to a host: faults and their healing, knobs, reboots, the clock.

A fault is a class with `apply` and `heal`; `FAULTS` names them. One fault of a kind is active on a host at a time.
"""

from . import actions, disk, ssh, system, tcc, wire

FAULTS = {
    fault.name: fault
    for fault in (
        ssh.Refuse,
        ssh.BannerStall,
        ssh.Close,
        ssh.ChangedKey,
        ssh.UnknownKey,
        ssh.AuthDenied,
        ssh.MaxSessions,
        ssh.KillSessions,
        wire.Blackhole,
        wire.Down,
        wire.Delay,
        disk.DiskFull,
        disk.ReadOnly,
        tcc.Denied,
        system.Sudo,
        system.Launchctl,
        system.Override,
        system.Omlx,
        system.Wired,
    )
}


def carry_out(instance, runtime, request):
    """Carries out one request of the command line on one host; returns what is to be printed."""
    verb, words = request["verb"], request["arguments"]
    if verb == "fault":
        if not words or words[0] not in FAULTS:
            raise ValueError(f"a fault is one of {', '.join(FAULTS)}")
        return apply(instance, runtime, words[0], words[1:])
    if verb == "heal":
        for kind in words or list(runtime.faults):
            if kind not in FAULTS:
                raise ValueError(f"a fault is one of {', '.join(FAULTS)}")
            heal(runtime, kind)
        return None
    if verb == "reboot":
        return reboot(instance, runtime, words)
    if verb == "halt":
        return halt(instance, runtime, words)
    if verb == "boot":
        return boot(instance, runtime)
    return actions.ACTIONS[verb](instance, runtime, words)


def apply(instance, runtime, kind, words):
    """Starts a fault, in place of one of the same kind."""
    heal(runtime, kind)
    fault = FAULTS[kind](instance, runtime, words)
    answer = fault.apply()
    if fault.lasting:
        runtime.faults[kind] = fault
    return answer


def heal(runtime, kind):
    """Ends a fault; one that is not active is no error."""
    fault = runtime.faults.pop(kind, None)
    if fault is not None:
        fault.heal()


def halt(instance, runtime, words):
    """Takes the power away. `--hard`: the wires go first, so that no connection is closed properly."""
    if words not in ([], ["--hard"]):
        raise ValueError("only --hard is known")
    if runtime.pid is None:
        raise RuntimeError(f"{runtime.spec.name} is down already")
    for fault in list(runtime.faults.values()):
        if fault.ends_with_boot:
            heal(runtime, fault.name)
        elif fault.again_after_boot:
            fault.heal()
    if words:
        wire.links(runtime, "down")
    instance.halt(runtime)


def boot(instance, runtime):
    """Switches a halted host on and waits for its SSH server."""
    if runtime.pid is not None:
        raise RuntimeError(f"{runtime.spec.name} is up already")
    wire.links(runtime, "up")
    instance.start_host(runtime)
    instance.wait_for_process_1(runtime)
    for fault in runtime.faults.values():
        if fault.again_after_boot:
            fault.apply()
    if not {"blackhole", "down"} & set(runtime.faults):
        instance.wait_for_ssh([runtime])


def reboot(instance, runtime, words):
    """All processes gone, /tmp emptied, daemons started by launchd."""
    halt(instance, runtime, words)
    boot(instance, runtime)
