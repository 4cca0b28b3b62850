"""Faults of the system: sudo, launchctl's answers, and what commands report."""

import json
import os

from .. import host, paths
from .base import Fault


class Sudo(Fault):
    """sudo's rules change: revoked (a password is required), not-in-sudoers, documented, all or absent."""

    name = "sudo"

    def apply(self):
        mode = self.words[0] if self.words else "revoked"
        if mode not in ("revoked", "not-in-sudoers", "documented", "all", "absent"):
            raise ValueError("sudo takes revoked, not-in-sudoers, documented, all or absent")
        self.inside(lambda: host.write_sudoers(self.spec, "password" if mode == "revoked" else mode))

    def heal(self):
        if self.runtime.pid is not None:
            self.inside(lambda: host.write_sudoers(self.spec))


class Launchctl(Fault):
    """launchctl VERB fails with NUMBER for the next COUNT calls (default 1), for LABEL only when given."""

    name = "launchctl"

    def apply(self):
        if not 2 <= len(self.words) <= 4:
            raise ValueError("launchctl takes VERB NUMBER [COUNT [LABEL]]")
        fault = {"verb": self.words[0], "code": int(self.words[1]), "count": 1, "label": None}
        if len(self.words) > 2:
            fault["count"] = int(self.words[2])
        if len(self.words) > 3:
            fault["label"] = self.words[3]
        self.launchd(verb="inject", faults=[fault])

    def heal(self):
        if self.runtime.pid is not None:
            self.launchd(verb="inject", faults=[])


class Override(Fault):
    """Commands report other values: KEY=JSON... (pressure_level, swap_used_mb, tailscale_state, filevault, pmset, ...)."""

    name = "override"

    def apply(self):
        values = {}
        for word in self.words:
            key, equals, value = word.partition("=")
            if not equals:
                raise ValueError("override takes KEY=JSON...")
            try:
                values[key] = json.loads(value)
            except ValueError:
                values[key] = value
        self._write(values)

    def _write(self, values):
        path = f"/proc/{self.runtime.pid}/root{paths.LAB}/overrides.json"
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(values, file)
        os.replace(path + ".new", path)

    def heal(self):
        if self.runtime.pid is not None:
            self._write({})
