"""model_settings.json of 0.3.8: the fields, the careless loading, the atomic saving (facts 3.1, 3.2)."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger("omlx.model_settings")

FIELDS: dict[str, object] = {
    "max_context_window": None,
    "max_tokens": None,
    "temperature": None,
    "top_p": None,
    "top_k": None,
    "repetition_penalty": None,
    "min_p": None,
    "presence_penalty": None,
    "force_sampling": False,
    "max_tool_result_tokens": None,
    "chat_template_kwargs": None,
    "forced_ct_kwargs": None,
    "ttl_seconds": None,
    "model_type_override": None,
    "model_alias": None,
    "index_cache_freq": None,
    "enable_thinking": None,
    "preserve_thinking": None,
    "thinking_budget_enabled": False,
    "thinking_budget_tokens": None,
    "reasoning_parser": None,
    "turboquant_kv_enabled": False,
    "turboquant_kv_bits": 4,
    "turboquant_skip_last": True,
    "specprefill_enabled": False,
    "specprefill_draft_model": None,
    "specprefill_keep_pct": None,
    "specprefill_threshold": None,
    "dflash_enabled": False,
    "dflash_draft_model": None,
    "dflash_draft_quant_bits": None,
    "is_pinned": False,
    "is_default": False,
    "trust_remote_code": False,
    "display_name": None,
    "description": None,
    "active_profile_name": None,
}
"""Every field in the order written, with its default. None is left out, another default is always written (facts 3.1)."""

FILE_ONLY = frozenset({"preserve_thinking", "turboquant_skip_last"})
"""Fields that the admin API neither takes nor shows among a model's settings (facts 3.1, 6.4)."""


def from_dict(data: dict) -> dict:
    """All fields, unknown keys dropped; values are not checked."""
    return {name: data.get(name, default) for name, default in FIELDS.items()}


def to_dict(settings: dict) -> dict:
    """What is written: fields in order, None left out."""
    return {name: settings[name] for name in FIELDS if settings[name] is not None}


def write_atomically(path: Path, document: dict) -> None:
    """Temporary file, then rename: a link in the file's place is replaced by a regular file (facts 3.2)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", encoding="utf-8") as target:
        json.dump(document, target, indent=2, ensure_ascii=False)
    temporary.replace(path)


def read_versioned(path: Path, key: str) -> dict:
    """The mapping under `key`; {} for a missing or malformed file (the next save then replaces it)."""
    if not path.exists():
        return {}
    try:
        with open(path, encoding="utf-8") as source:
            data = json.load(source)
        return dict(data.get(key) or {})
    except json.JSONDecodeError as error:
        log.error("Invalid JSON in settings file: %s", error)
    except (OSError, AttributeError, TypeError, ValueError) as error:
        log.error("Failed to load settings file: %s", error)
    return {}


class ModelSettings:
    """All models' settings in memory. The file is read at start and by `load` (the reload) only."""

    def __init__(self, base: Path) -> None:
        self.file = base / "model_settings.json"
        self.models: dict[str, dict] = {}
        self.load()

    def load(self) -> None:
        self.models = {}
        for model_id, data in read_versioned(self.file, "models").items():
            try:
                self.models[model_id] = from_dict(data)
            except AttributeError as error:
                log.warning("Failed to load settings for model '%s': %s", model_id, error)
        self._keep_first_default()

    def _keep_first_default(self) -> None:
        """Several defaults in the file: the first in file order wins (facts 3.1)."""
        seen = False
        for settings in self.models.values():
            if settings["is_default"] and seen:
                settings["is_default"] = False
            seen = seen or bool(settings["is_default"])

    def save(self) -> None:
        document = {"version": 1, "models": {model_id: to_dict(one) for model_id, one in self.models.items()}}
        write_atomically(self.file, document)

    def get(self, model_id: str) -> dict:
        """A copy; defaults for a model without an entry."""
        return dict(self.models.get(model_id) or from_dict({}))

    def set(self, model_id: str, settings: dict) -> None:
        if settings["is_default"]:
            for other, one in self.models.items():
                if other != model_id:
                    one["is_default"] = False
        self.models[model_id] = dict(settings)
        self.save()

    def pinned(self) -> list[str]:
        return [model_id for model_id, one in self.models.items() if one["is_pinned"]]

    def default(self) -> str | None:
        return next((model_id for model_id, one in self.models.items() if one["is_default"]), None)

    def by_alias(self, alias: str) -> str | None:
        return next((model_id for model_id, one in self.models.items() if one["model_alias"] and one["model_alias"] == alias), None)
