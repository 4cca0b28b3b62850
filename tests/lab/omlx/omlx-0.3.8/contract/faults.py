"""The control file: faults and knobs that a test switches on from outside, without touching oMLX's own files or API.

Read at start and again for every request, so a test changes the file and the next request behaves differently. A missing,
unreadable or malformed file means no faults. Path: `/var/lab/omlx/<port>.json`, or `$LAB_OMLX_CONTROL` (a directory) instead of
`/var/lab/omlx`. Knobs marked (env) have an environment default too, for tests without a control directory.

At start:
  crash_at_start: true        print a traceback and exit with `exit_code` before anything is written
  exit_code: 1                the status of crash_at_start and of crash_after_requests
  hang_at_start: true         never open the port (after the banner)
  start_delay_ms: 0           wait before anything else
Per request:
  hang: true                  accept and never answer (a list of path prefixes limits it to them)
  black_hole: true            the same, and not even the request is read
  status: {"/v1/": 500, ...}  answer these path prefixes with a bare status (the longest prefix wins); 507, 503, 401, ...
  garbage: true               answer 200 with a body that is not JSON (a list of path prefixes limits it)
  truncate: true              close the connection in the middle of the body (a list of path prefixes limits it)
  slow_ms: 0                  wait before the answer begins
  first_byte_ms: 0            send the head, then wait before the first byte of the body
  crash_after_requests: N     exit with `exit_code` when the Nth request (since the start) arrives
  reset: true                 close the connection without a word
Models:
  fail_load: ["name", ...]    loading these fails ("*": every model)
  load_seconds_per_gib: 0     (env LAB_OMLX_LOAD_SECONDS_PER_GIB) pretended load time
  unload_seconds_per_gib: 0   pretended time to free
  tokens_per_second: 0        (env LAB_OMLX_TOKENS_PER_SECOND) 0: as fast as possible
  prefill_tokens_per_second: 0
  answer_tokens: 32           length of an answer whose request sets no max_tokens
  answers: {"name": "text"}   what a model says instead of its derived text ("*": every model)
  echo_after: "MARK "         where a prompt holds this, every model says what follows it on its line
Identity:
  release: "0.3.9"            the `version` of /api/status
  hostile_models: ["\\u001b[2J", ...]  further names in every listing, for tests of terminal escapes
"""

from __future__ import annotations

import json
import os
from pathlib import Path

DEFAULT_DIRECTORY = "/var/lab/omlx"

ENVIRONMENT_DEFAULTS = {
    "load_seconds_per_gib": "LAB_OMLX_LOAD_SECONDS_PER_GIB",
    "tokens_per_second": "LAB_OMLX_TOKENS_PER_SECOND",
}


class Faults:
    """The knobs in effect; `refresh` re-reads the file."""

    def __init__(self, port: int) -> None:
        self.path = Path(os.environ.get("LAB_OMLX_CONTROL", DEFAULT_DIRECTORY)) / f"{port}.json"
        self.values: dict = {}
        self.requests = 0
        self.refresh()

    def refresh(self) -> Faults:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            values = {}
        self.values = values if isinstance(values, dict) else {}
        return self

    def get(self, name: str, default=None):
        return self.values.get(name, default)

    def number(self, name: str, default: float = 0.0) -> float:
        """A numeric knob: control file, then environment, then the default."""
        value = self.values.get(name)
        if value is None and name in ENVIRONMENT_DEFAULTS:
            value = os.environ.get(ENVIRONMENT_DEFAULTS[name])
        try:
            return float(value) if value not in (None, "") else default
        except (TypeError, ValueError):
            return default

    def on_path(self, name: str, path: str) -> bool:
        """Whether a knob that is `true` or a list of path prefixes applies to this path."""
        value = self.values.get(name)
        if isinstance(value, list):
            return any(path.startswith(prefix) for prefix in value)
        return bool(value)

    def status_for(self, path: str) -> int | None:
        rules = self.values.get("status")
        if not isinstance(rules, dict):
            return None
        matching = [prefix for prefix in rules if path.startswith(prefix)]
        return int(rules[max(matching, key=len)]) if matching else None

    def fails_to_load(self, model_id: str) -> bool:
        names = self.values.get("fail_load") or []
        return model_id in names or "*" in names

    def hostile_models(self) -> list[str]:
        return [str(name) for name in self.values.get("hostile_models") or []]
