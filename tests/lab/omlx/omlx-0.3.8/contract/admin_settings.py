"""The admin API for the server itself: global settings, sub keys, statistics, logs (facts 6.3, 7.3).

A refused value stays in memory and blocks later saves until it is corrected.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from pathlib import Path

from . import auth
from .host import is_alias
from .settings import SCHEMA, process_percent
from .sizes import format_size, parse_size
from .validate import BOOL, FLOAT, INT, STR, STRINGS, body, fields
from .wire import HttpError, Request, Response

log = logging.getLogger("omlx.admin.routes")

PLACES: dict[str, tuple[str, str, str]] = {
    "host": ("server", "host", STR),
    "port": ("server", "port", INT),
    "log_level": ("server", "log_level", STR),
    "server_aliases": ("server", "server_aliases", STRINGS),
    "model_dirs": ("model", "model_dirs", STRINGS),
    "max_model_memory": ("model", "max_model_memory", STR),
    "model_fallback": ("model", "model_fallback", BOOL),
    "max_process_memory": ("memory", "max_process_memory", STR),
    "memory_prefill_memory_guard": ("memory", "prefill_memory_guard", BOOL),
    "max_concurrent_requests": ("scheduler", "max_concurrent_requests", INT),
    "cache_enabled": ("cache", "enabled", BOOL),
    "ssd_cache_dir": ("cache", "ssd_cache_dir", STR),
    "ssd_cache_max_size": ("cache", "ssd_cache_max_size", STR),
    "hot_cache_only": ("cache", "hot_cache_only", BOOL),
    "hot_cache_max_size": ("cache", "hot_cache_max_size", STR),
    "initial_cache_blocks": ("cache", "initial_cache_blocks", INT),
    "mcp_config": ("mcp", "config_path", STR),
    "hf_endpoint": ("huggingface", "endpoint", STR),
    "ms_endpoint": ("modelscope", "endpoint", STR),
    **{f"network_{key}": ("network", key, STR) for key in SCHEMA["network"]},
    "sampling_max_context_window": ("sampling", "max_context_window", INT),
    "sampling_max_tokens": ("sampling", "max_tokens", INT),
    "sampling_temperature": ("sampling", "temperature", FLOAT),
    "sampling_top_p": ("sampling", "top_p", FLOAT),
    "sampling_top_k": ("sampling", "top_k", INT),
    "sampling_repetition_penalty": ("sampling", "repetition_penalty", FLOAT),
    "claude_code_context_scaling_enabled": ("claude_code", "context_scaling_enabled", BOOL),
    "claude_code_target_context_size": ("claude_code", "target_context_size", INT),
    **{f"claude_code_{key}": ("claude_code", key, STR) for key in ("mode", "opus_model", "sonnet_model", "haiku_model")},
    **{f"integrations_{key}": ("integrations", key, STR) for key in SCHEMA["integrations"]},
    "ui_language": ("ui", "language", STR),
    "idle_timeout_seconds": ("idle_timeout", "idle_timeout_seconds", INT),
    "api_key": ("auth", "api_key", STR),
    "skip_api_key_verification": ("auth", "skip_api_key_verification", BOOL),
}
"""Flat name of the API → section, key, kind."""

NULLABLE = {"idle_timeout_seconds", "claude_code_opus_model", "claude_code_sonnet_model", "claude_code_haiku_model"} | {
    name for name in PLACES if name.startswith("integrations_")
}
"""Where null clears; elsewhere null means "not sent"."""

LIVE_NAMES = {"memory_prefill_memory_guard": "prefill_memory_guard"}
RESTART_ONLY = {"host", "port", "max_concurrent_requests", "hot_cache_only", "initial_cache_blocks", "mcp_config"}
CACHE = {"cache_enabled", "ssd_cache_dir", "ssd_cache_max_size", "hot_cache_max_size"}
GROUPS = ("network", "sampling", "claude_code", "integrations")


def _applied_name(name: str) -> str:
    """How runtime_applied calls a change: a group for grouped keys."""
    if name in CACHE:
        return "cache"
    return next((group for group in GROUPS if name.startswith(group + "_")), LIVE_NAMES.get(name, name))


async def update(app, request: Request) -> Response:
    """A partial update; what is live takes effect at once, and some of it throws every model out (facts 7.3)."""
    sent = fields(body(request), {name: kind for name, (_, _, kind) in PLACES.items()})
    sent = {name: value for name, value in sent.items() if value is not None or name in NULLABLE}
    if sent.get("idle_timeout_seconds") is not None and sent["idle_timeout_seconds"] < 60:
        raise HttpError(422, [{
            "type": "greater_than_equal", "loc": ["body", "idle_timeout_seconds"],
            "msg": "Input should be greater than or equal to 60", "input": sent["idle_timeout_seconds"], "ctx": {"ge": 60},
        }])  # fmt: skip
    for alias in sent.get("server_aliases") or []:
        if not is_alias(alias):
            raise HttpError(400, f"Invalid server alias: {alias!r} (must be a hostname or IP address)")
    if sent.get("api_key") and (problem := auth.check_key_format(sent["api_key"])):
        raise HttpError(400, problem)
    for name, value in sent.items():
        section, key, _ = PLACES[name]
        app.settings.section(section)[key] = value
    await _apply(app, sent)
    if errors := app.settings.validate():
        raise HttpError(400, errors)
    app.save_settings()
    applied = list(dict.fromkeys(_applied_name(name) for name in sent if name not in RESTART_ONLY))
    return Response.json({"success": True, "message": "Settings saved successfully.", "runtime_applied": applied})


async def _apply(app, sent: dict) -> None:
    if "log_level" in sent:
        app.set_log_level(sent["log_level"])
    if "model_dirs" in sent:
        await _apply_model_dirs(app, sent["model_dirs"])
    if "max_model_memory" in sent and _readable(sent["max_model_memory"]):
        app.pool.max_model_memory = app.settings.model_budget(app.memory)
        await _shrink(app)
    if "max_process_memory" in sent and _readable(sent["max_process_memory"]):
        app.set_process_limit(app.settings.process_budget(app.memory))
        await app.pool.enforce()
    if CACHE & sent.keys():
        await app.pool.unload_all()


async def _apply_model_dirs(app, directories: list[str]) -> None:
    roots = [Path(one).expanduser().resolve() for one in directories]
    for root in roots:
        if not root.is_dir():
            raise HttpError(400, f"Failed to change model directories: Model directory does not exist: {root}")
    await app.change_model_dirs(roots)


def _readable(value: str) -> bool:
    """Whether a memory setting can be computed; what cannot is refused by the validation that follows."""
    if value.strip().lower() in ("auto", "disabled") or process_percent(value.strip().lower()) is not None:
        return True
    try:
        return parse_size(value) > 0
    except ValueError:
        return False


async def _shrink(app) -> None:
    limit = app.pool.max_model_memory
    while limit is not None and app.pool.current_memory() > limit and (victim := app.pool.victim()) is not None:
        await app.pool.unload(victim.id)


async def show(app, _request: Request) -> Response:
    """All settings with derived values resolved and the API key in clear; posting it back bakes the derived values in."""
    values = {name: dict(section) for name, section in app.settings.values.items() if name != "logging"}
    values["server"].pop("cors_origins")
    values["model"]["model_dirs"] = [str(path) for path in app.settings.model_dirs()]
    values["model"]["model_dir"] = values["model"]["model_dirs"][0]
    values["cache"]["ssd_cache_dir"] = str(app.settings.ssd_cache_dir())
    values["cache"]["ssd_cache_max_size"] = f"{app.settings.ssd_cache_bytes() / 1024**3:.0f}GB"
    values["auth"].pop("secret_key")
    values["auth"] = {"api_key_set": bool(app.api_key), **values["auth"], "api_key": app.api_key or ""}
    # The release shows 80 % here, which is not what it uses (facts 6.1).
    system = {
        "total_memory_bytes": app.memory,
        "total_memory": format_size(app.memory),
        "auto_model_memory": format_size(int(app.memory * 0.8)),
    }
    return Response.json({"base_path": str(app.settings.base), **values, "system": system})


# --- Sub keys


async def create_sub_key(app, request: Request) -> Response:
    values = fields(body(request), {"key": STR, "name": STR}, required=("key",))
    if problem := auth.check_key_format(values["key"]):
        raise HttpError(400, problem)
    known = app.settings.section("auth")["sub_keys"]
    if values["key"] == app.api_key:
        raise HttpError(400, "Sub key cannot be the same as the main key")
    if any(one["key"] == values["key"] for one in known):
        raise HttpError(400, "This key already exists")
    entry = {"key": values["key"], "name": values.get("name") or "", "created_at": datetime.now(timezone.utc).isoformat()}
    known.append(entry)
    app.save_settings()
    return Response.json({"success": True, "sub_key": entry})


async def delete_sub_key(app, request: Request) -> Response:
    values = fields(body(request), {"key": STR}, required=("key",))
    section = app.settings.section("auth")
    kept = [one for one in section["sub_keys"] if one["key"] != values["key"]]
    if len(kept) == len(section["sub_keys"]):
        raise HttpError(404, "Sub key not found")
    section["sub_keys"] = kept
    app.save_settings()
    return Response.json({"success": True})


# --- Statistics, logs, host


async def stats(app, request: Request) -> Response:
    snapshot = app.metrics.snapshot(request.query.get("model", ""), request.query.get("scope", "session"))
    server, loaded = app.settings.section("server"), app.pool.loaded()
    rows = []
    for entry in loaded:
        counted = entry.engine.counted
        rows.append({
            "id": entry.id, "estimated_size": entry.estimated_size, "pinned": entry.pinned, "is_loading": entry.loading,
            "active_requests": entry.engine.active if counted else 0, "waiting_requests": entry.engine.waiting if counted else 0,
            "prefilling": [], "generating": [],
        })  # fmt: skip
    active = {
        "models": rows,
        "model_memory_used": app.pool.current_memory(),
        "model_memory_max": app.pool.max_model_memory,
        "total_active_requests": sum(row["active_requests"] for row in rows),
        "total_waiting_requests": sum(row["waiting_requests"] for row in rows),
    }
    cache = {"base_path": str(app.settings.base), "ssd_cache_dir": str(app.settings.ssd_cache_dir()), "models": [],
             "total_num_files": 0, "total_size_bytes": 0}  # fmt: skip
    engines = {name: {"version": "0.0.0", "commit": None, "url": None} for name in ("mlx-lm", "mlx-vlm", "mlx-embeddings")}
    return Response.json({
        **snapshot, "host": server["host"], "port": server["port"], "api_key": app.api_key or "", "cli_prefix": "omlx",
        "engines": engines, "active_models": active, "runtime_cache": cache,
    })  # fmt: skip


async def clear_stats(app, _request: Request) -> Response:
    app.metrics.clear("session")
    return Response.json({"status": "ok"})


async def clear_alltime_stats(app, _request: Request) -> Response:
    app.metrics.clear("alltime")
    return Response.json({"status": "ok"})


async def clear_ssd_cache(_app, _request: Request) -> Response:
    return Response.json({"status": "ok", "total_deleted": 0})


async def logs(app, request: Request) -> Response:
    directory = app.settings.log_dir()
    name = request.query.get("file") or "server.log"
    if "/" in name or "\\" in name or ".." in name:
        raise HttpError(400, "Invalid file name")
    if not (directory / name).exists():
        raise HttpError(404, f"Log file not found: {name}")
    try:
        count = min(max(1, int(request.query.get("lines", "100"))), 10000)
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise HttpError(422, [{"type": "int_parsing", "loc": ["query", "lines"], "msg": message, "input": request.query["lines"]}]) from None
    lines = (directory / name).read_text(encoding="utf-8", errors="replace").splitlines()
    files = sorted(one.name for one in directory.glob("server.log*"))
    return Response.json({"logs": "\n".join(lines[-count:]), "total_lines": len(lines), "log_file": name, "available_files": files})


async def server_info(app, _request: Request) -> Response:
    server = app.settings.section("server")
    return Response.json({"host": server["host"], "port": server["port"], "aliases": list(server["server_aliases"])})


async def device_info(app, _request: Request) -> Response:
    chip = {"chip_name": "Apple M4", "chip_variant": "", "memory_gb": app.memory // 1024**3, "gpu_cores": 10}
    return Response.json({**chip, "owner_hash": "0" * 16})
