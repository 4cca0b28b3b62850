"""What a served command may know: the host it pretends to be on, its caller, the host's clock and memory."""

import dataclasses
import functools
import json

from .. import paths
from ..clock import HostClock


@dataclasses.dataclass
class Context:
    """The host and the caller of one command."""

    host: dict
    uid: int
    caller: int

    @functools.cached_property
    def clock(self):
        """The host's wall clock."""
        return HostClock.of_this_host()

    @functools.cached_property
    def boot(self):
        """The present boot: its moment in machine time and its session identity."""
        with open(f"{paths.LAB}/boot.json", encoding="utf-8") as file:
            return json.load(file)

    @functools.cached_property
    def state(self):
        """What commands changed on this host until the next boot (iogpu.wired_limit_mb and the like)."""
        try:
            with open(f"{paths.LAB}/run/state.json", encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def remember(self, key, value):
        """Keeps a value until the next boot; root only, as every writer of it."""
        self.state[key] = value
        with open(f"{paths.LAB}/run/state.json", "w", encoding="utf-8") as file:
            json.dump(self.state, file)

    def boot_time(self):
        """Seconds since the epoch, by the host's clock, at which the host says it booted."""
        pretended = self.host["uptime_days"] * 86400 if self.boot["first"] else 0
        return self.boot["boot"] + self.clock.offset - pretended

    def override(self, key, default=None):
        """Returns what a test set for this host in the faults file (tailscale's state, filevault, ...)."""
        try:
            with open(f"{paths.LAB}/overrides.json", encoding="utf-8") as file:
                return json.load(file).get(key, default)
        except (OSError, ValueError):
            return default
