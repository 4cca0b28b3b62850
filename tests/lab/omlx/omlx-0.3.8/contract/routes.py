"""Which handler answers which path, for whom (facts 6.3), and what every request passes first: faults, routing, keys, errors."""

from __future__ import annotations

import asyncio
import logging
import os
import re

from . import admin, admin_settings, api, auth
from .wire import Dropped, HttpError, Request, Response

log = logging.getLogger("omlx.server")

OPEN, KEY, COOKIE = "O", "K", "C"

_TABLE = [
    ("GET", "/health", OPEN, api.health),
    ("GET", "/api/status", KEY, api.status),
    ("GET", "/v1/models", KEY, api.models),
    ("GET", "/v1/models/status", KEY, api.models_status),
    ("POST", "/v1/models/{model_id}/unload", KEY, api.unload),
    ("POST", "/v1/chat/completions", KEY, api.chat),
    ("POST", "/v1/completions", KEY, api.completions),
    ("POST", "/v1/embeddings", KEY, api.embeddings),
    ("POST", "/admin/api/login", OPEN, admin.login),
    ("POST", "/admin/api/logout", OPEN, admin.logout),
    ("POST", "/admin/api/setup-api-key", OPEN, admin.setup_api_key),
    ("GET", "/admin/api/models", COOKIE, admin.models),
    ("POST", "/admin/api/models/{model_id}/load", COOKIE, admin.load),
    ("POST", "/admin/api/models/{model_id}/unload", COOKIE, admin.unload),
    ("PUT", "/admin/api/models/{model_id}/settings", COOKIE, admin.update_settings),
    ("GET", "/admin/api/models/{model_id}/profiles", COOKIE, admin.list_profiles),
    ("POST", "/admin/api/models/{model_id}/profiles", COOKIE, admin.create_profile),
    ("PUT", "/admin/api/models/{model_id}/profiles/{name}", COOKIE, admin.update_profile),
    ("DELETE", "/admin/api/models/{model_id}/profiles/{name}", COOKIE, admin.delete_profile),
    ("POST", "/admin/api/models/{model_id}/profiles/{name}/apply", COOKIE, admin.apply_profile),
    ("GET", "/admin/api/profile-fields", COOKIE, admin.profile_fields),
    ("GET", "/admin/api/profile-templates", COOKIE, admin.list_templates),
    ("POST", "/admin/api/profile-templates", COOKIE, admin.create_template),
    ("PUT", "/admin/api/profile-templates/{name}", COOKIE, admin.update_template),
    ("DELETE", "/admin/api/profile-templates/{name}", COOKIE, admin.delete_template),
    ("POST", "/admin/api/reload", COOKIE, admin.reload),
    ("DELETE", "/admin/api/hf/models/{model_name}", COOKIE, admin.delete_model),
    ("GET", "/admin/api/global-settings", COOKIE, admin_settings.show),
    ("POST", "/admin/api/global-settings", COOKIE, admin_settings.update),
    ("POST", "/admin/api/sub-keys", COOKIE, admin_settings.create_sub_key),
    ("DELETE", "/admin/api/sub-keys", COOKIE, admin_settings.delete_sub_key),
    ("GET", "/admin/api/stats", COOKIE, admin_settings.stats),
    ("POST", "/admin/api/stats/clear", COOKIE, admin_settings.clear_stats),
    ("POST", "/admin/api/stats/clear-alltime", COOKIE, admin_settings.clear_alltime_stats),
    ("POST", "/admin/api/ssd-cache/clear", COOKIE, admin_settings.clear_ssd_cache),
    ("GET", "/admin/api/logs", COOKIE, admin_settings.logs),
    ("GET", "/admin/api/server-info", COOKIE, admin_settings.server_info),
    ("GET", "/admin/api/device-info", COOKIE, admin_settings.device_info),
]

ROUTES = [
    (method, re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$"), mode, handler)
    for method, path, mode, handler in _TABLE
]

_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


async def handle(app, request: Request) -> Response:
    """One request from arrival to answer."""
    faults = app.faults.refresh()
    faults.requests += 1
    await _inject(app, request)
    try:
        response = await _dispatch(app, request)
    except HttpError as error:
        response = _error(request, error)
    except Exception as error:  # noqa: BLE001 - as there: anything unforeseen is a 500
        log.exception("%s %s → 500 (unhandled): %s", request.method, request.path, error)
        response = _error(request, HttpError(500, "Internal server error"))
    response.first_byte_delay = faults.number("first_byte_ms") / 1000
    response.truncate = faults.on_path("truncate", request.path)
    return response


async def _inject(app, request: Request) -> None:
    """The faults that come before any answer (module `faults`)."""
    faults = app.faults
    limit = faults.get("crash_after_requests")
    if limit is not None and faults.requests >= int(limit):
        os._exit(int(faults.get("exit_code", 1)))
    if faults.get("reset"):
        raise Dropped
    if faults.on_path("hang", request.path) or faults.get("black_hole"):
        while not request.gone:
            await asyncio.sleep(0.2)
        raise Dropped
    await asyncio.sleep(faults.number("slow_ms") / 1000)


async def _dispatch(app, request: Request) -> Response:
    faults = app.faults
    status = faults.status_for(request.path)
    if status is not None:
        raise HttpError(status, f"simulated status {status}")
    if faults.on_path("garbage", request.path):
        return Response(body=b"<html>\xff\xfe not JSON \x1b[31m{]", content_type="application/json")
    allowed = False
    for method, pattern, mode, handler in ROUTES:
        match = pattern.match(request.path)
        if match is None:
            continue
        allowed = True
        if method == request.method:
            _authorise(app, request, mode)
            return await handler(app, request, **match.groupdict())
    raise _Unrouted(405, "Method Not Allowed") if allowed else _Unrouted(404, "Not Found")


class _Unrouted(HttpError):
    """The framework's own answers, which have no OpenAI shape even below /v1."""


def _authorise(app, request: Request, mode: str) -> None:
    if mode == OPEN or app.settings.section("auth")["skip_api_key_verification"]:
        return
    if mode == COOKIE:
        if not app.sessions.valid(request.cookies().get(auth.COOKIE, "")):
            raise HttpError(401, "Admin authentication required")
        return
    if app.api_key is None:
        return
    key = auth.presented_key(request.headers)
    if key is None:
        raise HttpError(401, "API key required")
    known = [app.api_key, *(one["key"] for one in app.settings.section("auth")["sub_keys"])]
    if not any(auth.same(key, one) for one in known):
        # In clear, as there (server.py:289; hashed since 0.4.4).
        log.warning("Rejected API key: %r", key)
        raise HttpError(401, "Invalid API key")


def _error(request: Request, error: HttpError) -> Response:
    """{"detail": …}, or below /v1 {"error": {…}} (facts 6.3)."""
    if isinstance(error, _Unrouted):
        return Response.json({"detail": error.detail}, error.status)
    expired = request.path.startswith("/admin/") and request.path != "/admin/api/login" and error.status == 401
    if not expired:
        log.warning("%s %s → %d: %s", request.method, request.path, error.status, error.detail)
    if not request.path.startswith("/v1/"):
        return Response.json({"detail": error.detail}, error.status, error.headers)
    message, param = error.detail, None
    if isinstance(message, list):
        param = message[0]["loc"][-1]
        message = "; ".join(f"{' -> '.join(map(str, one['loc']))}: {one['msg']}" for one in message)
    kind = _TYPES.get(error.status, "server_error" if error.status >= 500 else "invalid_request_error")
    body = {"error": {"message": message, "type": kind, "param": param, "code": None}}
    return Response.json(body, error.status, error.headers)
