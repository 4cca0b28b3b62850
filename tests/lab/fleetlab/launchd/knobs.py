"""What a test may turn about one host's launchd, kept on the host's disk so that it survives a reboot."""

import json
import os

from .. import paths

DEFAULTS = {
    "bootout_delay_ms": 0,  # the label stays this long after the process is reaped
    "bootout_36": False,  # bootout of a running job answers 36, as older systems do
    "bootstrap_collapse_to_5": False,  # every bootstrap failure is 5
    "print_flavour": 15,  # 14, 15 or 26
    "disabled_style": "word",  # "bool" as up to macOS 12
    "pended": False,  # a start at load is held until a kickstart
    "kickstart_throttled": False,  # kickstart waits for the throttle too
    "crash_after_ms": {},  # label: the process dies of SIGSEGV that long after each spawn
    "backoff": False,  # the minimum runtime doubles with each crash
    "plist_owner_check": True,
    "btm_block": False,  # background task management refuses what is bootstrapped
    "time_scale": 1.0,  # throttle, ExitTimeOut and StartInterval pass this much slower (below 1: faster)
    "gui_logins": [],  # UIDs with a GUI session
    "clock_offset": 0.0,  # seconds that the host's clock is ahead
}


class Knobs(dict):
    """The values in force; unknown names are refused."""

    def __init__(self):
        super().__init__(DEFAULTS)
        try:
            with open(paths.KNOBS_FILE, encoding="utf-8") as file:
                super().update({key: value for key, value in json.load(file).items() if key in DEFAULTS})
        except (OSError, ValueError):
            return

    def update(self, changes):
        """Takes new values over and keeps them on disk, as far as the disk lets it."""
        unknown = sorted(set(changes) - set(DEFAULTS))
        if unknown:
            raise ValueError(f"unknown knobs: {', '.join(unknown)}")
        super().update(changes)
        temporary = paths.KNOBS_FILE + ".new"
        try:
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump({key: value for key, value in self.items() if value != DEFAULTS[key]}, file)
            os.replace(temporary, paths.KNOBS_FILE)
        except OSError:
            return
