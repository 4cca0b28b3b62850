"""The server's counters: since the start, and of all time in stats.json (facts 1.6, 6.4). Exact: tests use them as evidence.

A request counts when it has been answered; an aborted one never does.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

SAVE_SECONDS = 300
_KEYS = ("prompt_tokens", "completion_tokens", "cached_tokens", "requests", "prefill_duration", "generation_duration")


def _zero() -> dict:
    return {key: 0.0 if key.endswith("duration") else 0 for key in _KEYS}


class Metrics:
    """Two scopes, each a total and a table by model."""

    def __init__(self, base: Path) -> None:
        self.file = base / "stats.json"
        self.started = self.saved = time.time()
        self.session: dict = {"total": _zero(), "models": {}}
        self.alltime: dict = {"total": _zero(), "models": {}}
        self._load()

    def _load(self) -> None:
        try:
            data = json.loads(self.file.read_text(encoding="utf-8"))
            total = {key: data.get(f"total_{key}", 0) for key in _KEYS}
            self.alltime = {"total": total, "models": {name: {**_zero(), **one} for name, one in data["per_model"].items()}}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            pass

    def save(self) -> None:
        document = {f"total_{key}": value for key, value in self.alltime["total"].items()}
        document["per_model"] = self.alltime["models"]
        temporary = self.file.with_suffix(".json.tmp")
        try:
            temporary.write_text(json.dumps(document, indent=2), encoding="utf-8")
            temporary.replace(self.file)
        except OSError:
            pass
        self.saved = time.time()

    def record(self, model_id: str, prompt: int, completion: int, cached: int, prefill: float, generation: float) -> None:
        values = dict(zip(_KEYS, (prompt, completion, cached, 1, prefill, generation)))
        for scope in (self.session, self.alltime):
            for counters in (scope["total"], scope["models"].setdefault(model_id, _zero())):
                for key, value in values.items():
                    counters[key] += value
        if time.time() - self.saved >= SAVE_SECONDS:
            self.save()

    def clear(self, scope: str) -> None:
        setattr(self, scope, {"total": _zero(), "models": {}})
        if scope == "alltime":
            self.file.unlink(missing_ok=True)

    def snapshot(self, model_id: str = "", scope: str = "session") -> dict:
        table = self.alltime if scope == "alltime" else self.session
        found = table["models"].get(model_id, _zero()) if model_id else table["total"]
        processed = found["prompt_tokens"] - found["cached_tokens"]
        return {
            "total_tokens_served": found["prompt_tokens"] + found["completion_tokens"],
            "total_cached_tokens": found["cached_tokens"],
            "cache_efficiency": round(found["cached_tokens"] / found["prompt_tokens"] * 100, 1) if found["prompt_tokens"] else 0.0,
            "total_prompt_tokens": found["prompt_tokens"],
            "total_completion_tokens": found["completion_tokens"],
            "total_requests": found["requests"],
            "avg_prefill_tps": _rate(processed, found["prefill_duration"]),
            "avg_generation_tps": _rate(found["completion_tokens"], found["generation_duration"]),
            "uptime_seconds": round(time.time() - self.started, 1),
        }


def _rate(count: int, seconds: float) -> float:
    return round(count / seconds, 1) if seconds > 0 else 0.0
