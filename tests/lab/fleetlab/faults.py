"""What a test may do to a host: faults and their healing, knobs, reboots, the clock."""

import datetime
import json
import time
import zoneinfo

from . import paths
from .launchd import server


def carry_out(instance, runtime, request):
    """Carries out one request of the command line on one host; returns what is to be printed."""
    verbs = {"knob": _knob, "reboot": _reboot, "clock": _clock}
    if request["verb"] not in verbs:
        raise ValueError(f"{request['verb']} is not known")
    return verbs[request["verb"]](instance, runtime, request["arguments"])


def launchd_request(runtime, document):
    """Asks the host's process 1, as root."""
    if runtime.pid is None:
        raise RuntimeError(f"{runtime.spec.name} is not running")
    answer = server.request(document, f"/proc/{runtime.pid}/root{paths.LAUNCHD_SOCKET}", timeout=10)
    if answer["error"]:
        raise RuntimeError(answer.get("detail") or f"launchd answered {answer['error']}")
    return answer


def _knob(_instance, runtime, words):
    changes = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"a knob is NAME=VALUE, not {word!r}")
        try:
            changes[name] = json.loads(value)
        except ValueError:
            changes[name] = value
    return launchd_request(runtime, {"verb": "knobs", "set": changes})["knobs"]


def _clock(_instance, runtime, words):
    if len(words) != 2 or words[0] not in ("--set", "--offset"):
        raise ValueError("clock takes --set YYYY-MM-DDTHH:MM:SS (the host's zone) or --offset SECONDS")
    if words[0] == "--offset":
        offset = float(words[1])
    else:
        moment = datetime.datetime.fromisoformat(words[1])
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(runtime.spec.timezone))
        offset = moment.timestamp() - time.time()
    launchd_request(runtime, {"verb": "knobs", "set": {"clock_offset": offset}})


def _reboot(instance, runtime, words):
    if words:
        raise ValueError("reboot takes no argument")
    instance.halt(runtime)
    instance.start_host(runtime)
    instance.wait_for_ssh([runtime])
