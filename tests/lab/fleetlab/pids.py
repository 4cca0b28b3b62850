"""Which labs are up: each names its keeper and its init by pid and start time, so that a pid used anew is no lab."""

import json
import os

from . import linux

_FILE = "pids.json"


def write(directory, **pids):
    """Records the processes of a lab."""
    with open(os.path.join(directory, _FILE), "w", encoding="utf-8") as file:
        json.dump({name: [pid, linux.start_time(pid)] for name, pid in pids.items()}, file)


def remove(directory):
    """Forgets them."""
    try:
        os.unlink(os.path.join(directory, _FILE))
    except FileNotFoundError:
        return


def read(directory):
    """Returns {name: pid} of the recorded processes that are still the same."""
    try:
        with open(os.path.join(directory, _FILE), encoding="utf-8") as file:
            recorded = json.load(file)
    except (OSError, ValueError):
        return {}
    return {name: pid for name, (pid, started) in recorded.items() if linux.start_time(pid) == started}


def init(directory):
    """Returns the pid of a running lab's init, or None."""
    return read(directory).get("init")
