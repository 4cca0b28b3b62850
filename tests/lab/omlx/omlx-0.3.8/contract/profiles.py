"""model_profiles.json and global_templates.json of 0.3.8 (facts 4.1, 4.2). Read at start only: a reload leaves them alone."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

from .model_settings import read_versioned, write_atomically

UNIVERSAL = (
    "max_context_window", "max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty",
    "force_sampling", "enable_thinking", "thinking_budget_enabled", "thinking_budget_tokens", "reasoning_parser",
    "max_tool_result_tokens", "chat_template_kwargs", "forced_ct_kwargs",
)  # fmt: skip
MODEL_SPECIFIC = (
    "turboquant_kv_enabled", "turboquant_kv_bits", "turboquant_skip_last", "dflash_enabled", "dflash_draft_model",
    "dflash_draft_quant_bits", "specprefill_enabled", "specprefill_draft_model", "specprefill_keep_pct", "specprefill_threshold",
    "index_cache_freq",
)  # fmt: skip
EXCLUDED = frozenset({
    "is_pinned", "is_default", "display_name", "description", "model_alias", "model_type_override", "active_profile_name",
    "ttl_seconds", "trust_remote_code",
})  # fmt: skip

NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,31}$")


class InvalidName(ValueError):
    """A name that is not a slug: 400."""


class Duplicate(ValueError):
    """A name that exists: 409."""


def check_name(name: object) -> None:
    if not isinstance(name, str) or not NAME.match(name):
        raise InvalidName(f"Invalid profile/template name: {name!r}. Must match ^[a-z0-9][a-z0-9_-]{{0,31}}$")


def filter_fields(data: dict, *, template: bool) -> dict:
    """Only the keys that a profile (or a template) may hold; the rest is dropped without a word."""
    allowed = UNIVERSAL if template else UNIVERSAL + MODEL_SPECIFIC
    return {key: value for key, value in data.items() if key in allowed}


def now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _without_ttl(record: dict) -> dict:
    """All that loading checks: `ttl_seconds` is stripped (facts 4.1)."""
    settings = {key: value for key, value in (record.get("settings") or {}).items() if key != "ttl_seconds"}
    return {**record, "settings": settings}


class Profiles:
    """Profiles by model, in memory and on disk."""

    def __init__(self, base: Path) -> None:
        self.file = base / "model_profiles.json"
        self.models: dict[str, dict[str, dict]] = {
            model_id: {name: _without_ttl(record) for name, record in profiles.items()}
            for model_id, profiles in read_versioned(self.file, "profiles").items()
        }

    def save(self) -> None:
        write_atomically(self.file, {"version": 1, "profiles": self.models})

    def list(self, model_id: str) -> list[dict]:
        return list(self.models.get(model_id, {}).values())

    def get(self, model_id: str, name: str) -> dict | None:
        return self.models.get(model_id, {}).get(name)

    def create(self, model_id: str, request: dict) -> dict:
        name = request["name"]
        check_name(name)
        if self.get(model_id, name) is not None:
            raise Duplicate(f"Profile '{name}' already exists for model '{model_id}'")
        moment = now()
        record = {
            "name": name,
            "display_name": request["display_name"],
            "description": request.get("description"),
            "created_at": moment,
            "updated_at": moment,
            "settings": filter_fields(request.get("settings") or {}, template=False),
            "source_template": request.get("source_template"),
        }
        self.models.setdefault(model_id, {})[name] = record
        self.save()
        return record

    def update(self, model_id: str, name: str, request: dict) -> dict | None:
        record = self.get(model_id, name)
        if record is None:
            return None
        new_name = request.get("new_name")
        if new_name and new_name != name:
            check_name(new_name)
            if self.get(model_id, new_name) is not None:
                raise Duplicate(f"Profile '{new_name}' already exists for model '{model_id}'")
            record["name"] = new_name
            self.models[model_id] = {new_name if key == name else key: value for key, value in self.models[model_id].items()}
        _merge(record, request, template=False)
        if request.get("source_template") is not None:
            record["source_template"] = request["source_template"]
        self.save()
        return record

    def delete(self, model_id: str, name: str) -> bool:
        if self.get(model_id, name) is None:
            return False
        del self.models[model_id][name]
        if not self.models[model_id]:
            del self.models[model_id]
        self.save()
        return True

    def absorb(self, model_id: str, name: str, fields: dict) -> None:
        """The drift of facts 4.2: a settings save that agrees with the profile copies every other field into it."""
        record = self.models[model_id][name]
        record["settings"].update(fields)
        record["updated_at"] = now()
        self.save()


class Templates:
    """Templates for all models."""

    def __init__(self, base: Path) -> None:
        self.file = base / "global_templates.json"
        self.items = {name: _without_ttl(record) for name, record in read_versioned(self.file, "templates").items()}

    def save(self) -> None:
        write_atomically(self.file, {"version": 1, "templates": self.items})

    def create(self, request: dict, *, replace: bool = False) -> dict:
        name = request["name"]
        check_name(name)
        if name in self.items and not replace:
            raise Duplicate(f"Template '{name}' already exists")
        moment = now()
        created = self.items[name]["created_at"] if name in self.items else moment
        self.items[name] = {
            "name": name,
            "display_name": request["display_name"],
            "description": request.get("description"),
            "created_at": created,
            "updated_at": moment,
            "settings": filter_fields(request.get("settings") or {}, template=True),
        }
        self.save()
        return self.items[name]

    def update(self, name: str, request: dict) -> dict | None:
        record = self.items.get(name)
        if record is None:
            return None
        new_name = request.get("new_name")
        if new_name and new_name != name:
            check_name(new_name)
            if new_name in self.items:
                raise Duplicate(f"Template '{new_name}' already exists")
            record["name"] = new_name
            self.items = {new_name if key == name else key: value for key, value in self.items.items()}
        _merge(record, request, template=True)
        self.save()
        return record

    def delete(self, name: str) -> bool:
        if name not in self.items:
            return False
        del self.items[name]
        self.save()
        return True


def _merge(record: dict, request: dict, *, template: bool) -> None:
    for key in ("display_name", "description"):
        if request.get(key) is not None:
            record[key] = request[key]
    if request.get("settings") is not None:
        record["settings"] = filter_fields(request["settings"], template=template)
    record["updated_at"] = now()
