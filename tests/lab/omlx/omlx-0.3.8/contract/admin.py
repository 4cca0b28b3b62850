"""The admin API for models, settings and profiles: cookie only (facts 3.1, 4.2, 5.1, 6.3, 7.1, 7.2).

PUT settings validates nothing: no ranges, no exclusions. Its `requires_reload` misses TurboQuant, SpecPrefill and the draft's
quantisation, and nothing is ever unloaded by it.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from . import auth, discovery, profiles
from .model_settings import FIELDS, FILE_ONLY, from_dict, to_dict
from .pool import PoolError
from .sizes import format_size
from .validate import BOOL, DICT, FLOAT, INT, STR, STRINGS, body, fields
from .wire import HttpError, Request, Response

log = logging.getLogger("omlx.admin.routes")

MODEL_FIELDS = {
    "model_alias": STR, "model_type_override": STR, "max_context_window": INT, "max_tokens": INT, "temperature": FLOAT,
    "top_p": FLOAT, "top_k": INT, "repetition_penalty": FLOAT, "min_p": FLOAT, "presence_penalty": FLOAT, "force_sampling": BOOL,
    "max_tool_result_tokens": INT, "chat_template_kwargs": DICT, "forced_ct_kwargs": STRINGS, "ttl_seconds": INT,
    "index_cache_freq": INT, "enable_thinking": BOOL, "thinking_budget_enabled": BOOL, "thinking_budget_tokens": INT,
    "turboquant_kv_enabled": BOOL, "turboquant_kv_bits": FLOAT, "specprefill_enabled": BOOL, "specprefill_draft_model": STR,
    "specprefill_keep_pct": FLOAT, "specprefill_threshold": INT, "dflash_enabled": BOOL, "dflash_draft_model": STR,
    "dflash_draft_quant_bits": INT, "reasoning_parser": STR, "is_pinned": BOOL, "is_default": BOOL, "trust_remote_code": BOOL,
}  # fmt: skip
RELOAD_FIELDS = ("index_cache_freq", "dflash_enabled", "dflash_draft_model", "trust_remote_code")
"""Fields whose presence says requires_reload, changed or not (routes.py:1724)."""

PROFILE_FIELDS = {
    "name": STR, "new_name": STR, "display_name": STR, "description": STR, "settings": DICT, "source_template": STR,
    "also_save_as_template": BOOL,
}  # fmt: skip


# --- Sessions


def _with_session(app, value: dict, *, remember: bool) -> Response:
    age = auth.REMEMBER_SECONDS if remember else auth.SESSION_SECONDS
    token = app.sessions.mint(remember=remember)
    cookie = f"{auth.COOKIE}={token}; HttpOnly; Max-Age={age}; Path=/; SameSite=lax"
    return Response.json(value, headers={"set-cookie": cookie})


async def login(app, request: Request) -> Response:
    """Main key only: a sub key is refused."""
    values = fields(body(request), {"api_key": STR, "remember": BOOL}, required=("api_key",))
    if not app.api_key:
        raise HttpError(400, "No API key configured. Please set up an API key first.")
    if not auth.same(values["api_key"], app.api_key):
        raise HttpError(401, "Invalid API key")
    return _with_session(app, {"success": True}, remember=bool(values.get("remember")))


async def setup_api_key(app, request: Request) -> Response:
    """Open to anybody while there is no key: the first caller owns the server."""
    names = ("api_key", "api_key_confirm")
    values = fields(body(request), dict.fromkeys(names, STR), required=names)
    if app.api_key:
        raise HttpError(400, "API key is already configured. Use settings to change it.")
    if values["api_key"] != values["api_key_confirm"]:
        raise HttpError(400, "API keys do not match")
    if problem := auth.check_key_format(values["api_key"]):
        raise HttpError(400, problem)
    app.settings.section("auth")["api_key"] = values["api_key"]
    app.save_settings()
    return _with_session(app, {"success": True, "message": "API key configured successfully"}, remember=False)


async def logout(_app, _request: Request) -> Response:
    cookie = f'{auth.COOKIE}=""; Max-Age=0; Path=/; SameSite=lax'
    return Response.json({"success": True}, headers={"set-cookie": cookie})


# --- Models


def _entry(app, model_id: str):
    entry = app.pool.entries.get(model_id)
    if entry is None:
        raise HttpError(404, f"Model not found: {model_id}")
    return entry


async def models(app, _request: Request) -> Response:
    rows = []
    for model_id, entry in sorted(app.pool.entries.items()):
        status = entry.status()
        keys = list(status)
        status["estimated_size_formatted"] = format_size(entry.estimated_size)
        status["is_default"] = model_id == app.default_model
        keys.insert(keys.index("estimated_size") + 1, "estimated_size_formatted")
        keys.insert(keys.index("pinned") + 1, "is_default")
        row = {key: status[key] for key in keys}
        if model_id in app.model_settings.models:
            settings = app.model_settings.models[model_id]
            row["settings"] = {name: settings[name] for name in FIELDS if name not in FILE_ONLY}
        rows.append(row)
    rows += [{**rows[0], "id": name} for name in app.faults.hostile_models() if rows]
    return Response.json({"models": rows})


async def load(app, _request: Request, model_id: str) -> Response:
    entry = _entry(app, model_id)
    if entry.engine is not None:
        return Response.json({"status": "ok", "model_id": model_id, "message": f"Already loaded: {model_id}"})
    if entry.loading:
        raise HttpError(409, f"Model is already loading: {model_id}")
    try:
        await app.pool.engine(model_id)
    except PoolError as error:
        raise HttpError(500, str(error)) from None
    return Response.json({"status": "ok", "model_id": model_id, "message": f"Loaded {model_id}"})


async def unload(app, _request: Request, model_id: str) -> Response:
    if _entry(app, model_id).engine is None:
        raise HttpError(400, f"Model not loaded: {model_id}")
    await app.pool.unload(model_id)
    return Response.json({"status": "ok", "model_id": model_id, "message": f"Unloaded {model_id}"})


async def reload(app, _request: Request) -> Response:
    """Unloads everything, reads model_settings.json, scans, loads the pinned; blocks until they are loaded (facts 7.4)."""
    app.model_settings.load()
    message = await app.change_model_dirs(app.settings.model_dirs())
    await app.pool.preload_pinned()
    return Response.json({"status": "ok", "message": message})


async def delete_model(app, _request: Request, model_name: str) -> Response:
    """Deletes a directory and scans again without unloading others: the cheap re-scan of facts 7.4."""
    root, path = _find_model(app.settings.model_dirs(), model_name)
    if not path.resolve().is_relative_to(root.resolve()):
        raise HttpError(400, "Invalid model name")
    entry = app.pool.entries.get(model_name)
    if entry is not None and entry.engine is not None:
        await app.pool.unload(model_name)
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise HttpError(500, f"Failed to delete model: {error}") from None
    app.pool.entries.pop(model_name, None)
    app.pool.discover(app.settings.model_dirs())
    return Response.json({"success": True, "message": f"Model '{model_name}' deleted"})


def _find_model(roots: list[Path], name: str) -> tuple[Path, Path]:
    for root in roots:
        if not root.is_dir():
            continue
        folders = [root, *(one for one in sorted(root.iterdir()) if one.is_dir() and not one.name.startswith("."))]
        for folder in folders:
            if discovery.is_model(folder / name):
                return root, folder / name
    raise HttpError(404, "Model not found")


# --- Per-model settings

# How a sent value is stored, where it is not stored as it is (routes.py, update_model_settings).
_STORED = {
    "model_alias": lambda value: (value or "").strip() or None,
    "model_type_override": lambda value: value or None,
    "max_tool_result_tokens": lambda value: value if value and value > 0 else None,
    "thinking_budget_enabled": bool,
    "thinking_budget_tokens": lambda value: value if value and value > 0 else None,
    "index_cache_freq": lambda value: value if value and value >= 2 else None,
    "turboquant_kv_enabled": bool,
    "turboquant_kv_bits": lambda value: value or 4,
    "specprefill_enabled": bool,
    "specprefill_draft_model": lambda value: value or None,
    "specprefill_keep_pct": lambda value: value or None,
    "specprefill_threshold": lambda value: value or None,
    "dflash_enabled": bool,
    "dflash_draft_model": lambda value: value or None,
    "trust_remote_code": bool,
}


async def update_settings(app, request: Request, model_id: str) -> Response:
    entry = _entry(app, model_id)
    sent = fields(body(request), MODEL_FIELDS)
    settings = app.model_settings.get(model_id)
    engine_before = entry.model.engine_type
    if "model_alias" in sent:
        _check_alias(app, model_id, _STORED["model_alias"](sent["model_alias"]))
    if sent.get("model_type_override") and sent["model_type_override"] not in discovery.TYPES:
        raise HttpError(400, f"Invalid model_type_override: {sent['model_type_override']}")
    for name, value in sent.items():
        if name in ("is_pinned", "is_default"):
            continue
        settings[name] = _STORED.get(name, lambda one: one)(value)
    if "model_type_override" in sent:
        path = Path(entry.model.path)
        detected = discovery.detect_type(path, discovery.read_json(path / "config.json"))
        entry.model.type = settings["model_type_override"] or detected
    if sent.get("is_pinned") is not None:
        settings["is_pinned"] = entry.pinned = sent["is_pinned"]
    if sent.get("is_default") is not None:
        settings["is_default"] = sent["is_default"]
        if sent["is_default"]:
            app.default_model = model_id
    _follow_profile(app, model_id, settings)
    app.model_settings.set(model_id, settings)
    requires_reload = entry.engine is not None and (
        ("model_type_override" in sent and entry.model.engine_type != engine_before) or any(name in sent for name in RELOAD_FIELDS)
    )
    return Response.json({
        "success": True,
        "model_id": model_id,
        "settings": to_dict(settings),
        "model_type": entry.model.type,
        "engine_type": entry.model.engine_type,
        "requires_reload": requires_reload,
    })  # fmt: skip


def _check_alias(app, model_id: str, alias: str | None) -> None:
    if alias is None:
        return
    for other, settings in app.model_settings.models.items():
        if other != model_id and settings["model_alias"] == alias:
            raise HttpError(400, f"Alias '{alias}' is already used by model '{other}'")
    if alias != model_id and alias in app.pool.entries:
        raise HttpError(400, f"Alias '{alias}' conflicts with model directory name '{alias}'")


def _follow_profile(app, model_id: str, settings: dict) -> None:
    """A save that differs from the active profile clears it; one that agrees grows the profile (facts 4.2)."""
    name = settings["active_profile_name"]
    if not name:
        return
    profile = app.profiles.get(model_id, name)
    current = to_dict(settings)
    wanted = {key: value for key, value in (profile or {}).get("settings", {}).items() if value is not None}
    if profile is None or any(current.get(key) != value for key, value in wanted.items()):
        settings["active_profile_name"] = None
        return
    new = {key: value for key, value in current.items() if key not in profile["settings"] and key not in profiles.EXCLUDED}
    if new:
        app.profiles.absorb(model_id, name, profiles.filter_fields(new, template=False))


# --- Profiles and templates


def _guarded(change):
    """A change's answer, with the errors of a bad name (400) and of a taken one (409)."""
    try:
        return change()
    except profiles.InvalidName as error:
        raise HttpError(400, str(error)) from None
    except profiles.Duplicate as error:
        raise HttpError(409, str(error)) from None


def _also_template(app, values: dict, name: str) -> None:
    if values.get("also_save_as_template"):
        _guarded(lambda: app.templates.create({**values, "name": name}, replace=True))


async def list_profiles(app, _request: Request, model_id: str) -> Response:
    _entry(app, model_id)
    return Response.json({"profiles": app.profiles.list(model_id)})


async def create_profile(app, request: Request, model_id: str) -> Response:
    _entry(app, model_id)
    values = fields(body(request), PROFILE_FIELDS, required=("name", "display_name"))
    profile = _guarded(lambda: app.profiles.create(model_id, values))
    _also_template(app, values, values["name"])
    return Response.json({"profile": profile})


async def update_profile(app, request: Request, model_id: str, name: str) -> Response:
    _entry(app, model_id)
    values = fields(body(request), PROFILE_FIELDS)
    profile = _guarded(lambda: app.profiles.update(model_id, name, values))
    if profile is None:
        raise HttpError(404, f"Profile not found: {name}")
    if values.get("settings") is not None:
        _also_template(app, {**values, "display_name": profile["display_name"]}, profile["name"])
    return Response.json({"profile": profile})


async def delete_profile(app, _request: Request, model_id: str, name: str) -> Response:
    _entry(app, model_id)
    if not app.profiles.delete(model_id, name):
        raise HttpError(404, f"Profile not found: {name}")
    return Response.json({"deleted": True, "name": name})


async def apply_profile(app, _request: Request, model_id: str, name: str) -> Response:
    """An overlay of every key in the file, filtered by nothing but the known fields; nothing is reloaded (facts 4.2)."""
    _entry(app, model_id)
    profile = app.profiles.get(model_id, name)
    if profile is None:
        raise HttpError(404, f"Profile not found: {name}")
    merged = to_dict(app.model_settings.get(model_id))
    merged.update(profile["settings"])
    settings = from_dict({**merged, "active_profile_name": name})
    app.model_settings.set(model_id, settings)
    return Response.json({"model_id": model_id, "settings": to_dict(settings)})


async def profile_fields(_app, _request: Request) -> Response:
    return Response.json({"universal": list(profiles.UNIVERSAL), "model_specific": list(profiles.MODEL_SPECIFIC)})


async def list_templates(app, _request: Request) -> Response:
    return Response.json({"templates": list(app.templates.items.values())})


async def create_template(app, request: Request) -> Response:
    values = fields(body(request), PROFILE_FIELDS, required=("name", "display_name"))
    return Response.json({"template": _guarded(lambda: app.templates.create(values))})


async def update_template(app, request: Request, name: str) -> Response:
    values = fields(body(request), PROFILE_FIELDS)
    template = _guarded(lambda: app.templates.update(name, values))
    if template is None:
        raise HttpError(404, f"Template not found: {name}")
    return Response.json({"template": template})


async def delete_template(app, _request: Request, name: str) -> Response:
    if not app.templates.delete(name):
        raise HttpError(404, f"Template not found: {name}")
    return Response.json({"deleted": True, "name": name})
