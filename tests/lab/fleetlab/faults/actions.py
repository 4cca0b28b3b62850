"""What is no fault: knobs and the clock."""

import datetime
import json
import time
import zoneinfo

from .base import launchd_request


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


ACTIONS = {"knob": _knob, "clock": _clock}
