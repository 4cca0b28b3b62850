"""The host's wall clock: the machine's, moved by a knob. Kernel times (file dates, processes) stay the machine's."""

import json
import time

from . import paths


class HostClock:
    """A clock that is `offset` seconds ahead of the machine's."""

    def __init__(self, offset=0.0):
        self.offset = offset

    @classmethod
    def of_this_host(cls):
        """Returns the clock of the host that this process runs on, from its knobs."""
        try:
            with open(paths.KNOBS_FILE, encoding="utf-8") as file:
                return cls(float(json.load(file).get("clock_offset", 0.0)))
        except (OSError, ValueError):
            return cls()

    def now(self):
        """Seconds since the epoch on this host."""
        return time.time() + self.offset
