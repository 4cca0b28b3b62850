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


class _File(Fault):
    """Faults that are a JSON file on the host, written by rename."""

    path = ""

    def write(self, content):
        """Puts the file in place."""
        real = f"/proc/{self.runtime.pid}/root{self.path}"
        with open(real + ".new", "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(real + ".new", real)

    def heal(self):
        if self.runtime.pid is not None and self.path:
            try:
                os.unlink(f"/proc/{self.runtime.pid}/root{self.path}")
            except FileNotFoundError:
                return


def _values(words):
    values = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"KEY=JSON, not {word!r}")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return values


class Override(_File):
    """Commands report other values: KEY=JSON... (pressure_level, swap_used_mb, tailscale_state, filevault, pmset, ...)."""

    name = "override"
    path = f"{paths.LAB}/overrides.json"

    def apply(self):
        self.write(_values(self.words))


class Omlx(_File):
    """The contract server on PORT misbehaves: PORT KEY=JSON... (tests/lab/omlx/README.md lists the keys)."""

    name = "omlx"

    def apply(self):
        if len(self.words) < 2 or not self.words[0].isdigit():
            raise ValueError("omlx takes PORT KEY=JSON...")
        self.path = f"{paths.LAB}/omlx/{self.words[0]}.json"
        self.write(_values(self.words[1:]))


class Wired(_File):
    """So many BYTES of wired memory have no owner, as after an engine that was killed; a boot gives them back."""

    name = "wired"
    ends_with_boot = True

    def apply(self):
        if len(self.words) != 1 or not self.words[0].isdigit():
            raise ValueError("wired takes BYTES")
        self.path = f"{paths.WIRED}/orphaned.json"
        self.write({"bytes": int(self.words[0])})
