"""The server's life: what it writes at start, when the port opens, what happens every second, how it stops.

Order at start (facts 1.4, 6.1): settings → flags saved → validated → secret key → aliases → pinned models → enforcer → port.
Stop (facts 7.5): SIGTERM closes the port and waits for open requests without limit; SIGINT after it ends the process at once
and skips the engines' shutdown.
"""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import secrets
import signal
import sys
from pathlib import Path

from . import host, routes
from .auth import Sessions
from .faults import Faults
from .metrics import Metrics
from .model_settings import ModelSettings
from .pool import Pool
from .profiles import Profiles, Templates
from .settings import Settings
from .wire import Server

log = logging.getLogger("omlx.server")


class App:
    """Everything one running server holds; handlers get it as their first argument."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self.settings = settings
        self.faults = faults
        self.memory = host.memory_bytes()
        self._ensure_secret()
        self.sessions = Sessions(settings.section("auth")["secret_key"])
        self.model_settings = ModelSettings(settings.base)
        self.profiles = Profiles(settings.base)
        self.templates = Templates(settings.base)
        self.metrics = Metrics(settings.base)
        self.wired = host.Wired(settings.section("server")["port"])
        self.wired.write(0)
        self.pool = Pool(
            self.model_settings, faults, self.wired,
            max_model_memory=settings.model_budget(self.memory),
            concurrency=settings.section("scheduler")["max_concurrent_requests"],
        )  # fmt: skip
        self.pool.discover(settings.model_dirs())
        self.default_model = self.model_settings.default() or next(iter(self.pool.entries), None)
        # Who runs the TTL check: the enforcer if it was on at start, else a loop of its own (facts 7.3, the trap).
        self.separate_ttl = False
        self.enforcer_ttl = False

    def _ensure_secret(self) -> None:
        """Trigger 2: an empty secret is made and saved; a failure is fatal."""
        section = self.settings.section("auth")
        if not section["secret_key"]:
            section["secret_key"] = secrets.token_hex(32)
            self.settings.save()

    @property
    def api_key(self) -> str | None:
        return self.settings.section("auth")["api_key"]

    @property
    def sampling(self) -> dict:
        return self.settings.section("sampling")

    def save_settings(self) -> None:
        self.settings.save()

    def set_log_level(self, level: str) -> None:
        logging.getLogger().setLevel(_LEVELS.get(level.lower(), logging.INFO))

    async def change_model_dirs(self, roots: list[Path]) -> str:
        """Unloads everything, forgets every entry, scans. The default model stays what it was."""
        await self.pool.unload_all()
        self.pool.entries.clear()
        self.pool.discover(roots)
        plural = "directory" if len(roots) == 1 else "directories"
        return f"Re-discovered {len(self.pool.entries)} models from {len(roots)} {plural}"

    def set_process_limit(self, limit: int | None) -> None:
        """Live change of max_process_memory: switching it off and on again leaves the TTL check dead (facts 7.3)."""
        if limit is None or self.pool.process_limit is None:
            self.enforcer_ttl = False
        self.pool.process_limit = limit

    # --- Life

    async def start_up(self) -> None:
        """Everything before the port opens."""
        self._detect_aliases()
        await self.pool.preload_pinned()
        limit = self.settings.process_budget(self.memory)
        self.pool.process_limit = limit
        self.enforcer_ttl, self.separate_ttl = limit is not None, limit is None

    def _detect_aliases(self) -> None:
        """Trigger 3: empty aliases are filled and saved; a failure is only warned."""
        server = self.settings.section("server")
        if server["server_aliases"]:
            return
        server["server_aliases"] = host.detect_aliases(server["host"])
        if not server["server_aliases"]:
            return
        try:
            self.settings.save()
        except OSError as error:
            log.warning("Auto-detected server aliases but could not persist: %s", error)

    async def tick(self) -> None:
        """Once a second, for ever."""
        while True:
            await asyncio.sleep(1)
            self.faults.refresh()
            await self.pool.enforce()
            if self.separate_ttl or self.enforcer_ttl:
                await self.pool.expire(self.settings.section("idle_timeout")["idle_timeout_seconds"])

    async def shut_down(self) -> None:
        self.metrics.save()
        await self.pool.unload_all()
        self.wired.remove()
        log.info("Engine pool shutdown")


_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def configure_logging(settings: Settings) -> None:
    """Standard error and logs/server.log, rotated at midnight (facts 1.6); crash.log is opened and never rotated."""
    root = logging.getLogger()
    root.setLevel(_LEVELS.get(settings.section("server")["log_level"].lower(), logging.INFO))
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    directory = settings.log_dir()
    file = logging.handlers.TimedRotatingFileHandler(
        directory / "server.log", when="midnight", backupCount=settings.section("logging")["retention_days"], encoding="utf-8"
    )
    file.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - [-] - %(message)s"))
    root.addHandler(file)
    (directory / "crash.log").touch()


async def run(settings: Settings, faults: Faults) -> int:
    """Serves until told to stop; the exit status."""
    app = App(settings, faults)
    server_settings = settings.section("server")
    print(f"Starting server at http://{server_settings['host']}:{server_settings['port']}")
    _uvicorn(f"Started server process [{os.getpid()}]")
    _uvicorn("Waiting for application startup.")
    stop = _Stop()
    await app.start_up()
    _uvicorn("Application startup complete.")
    server = Server(lambda request: routes.handle(app, request))
    if faults.refresh().get("hang_at_start"):
        await stop.requested.wait()
        return stop.status()
    try:
        await server.listen(server_settings["host"], server_settings["port"])
    except OSError:
        address = f"('{server_settings['host']}', {server_settings['port']})"
        # Darwin's number, as an operator sees it there.
        text = f"[Errno 48] error while attempting to bind on address {address}: address already in use"
        print(f"ERROR:    {text}", file=sys.stderr)
        await app.shut_down()
        return 1
    _uvicorn(f"Uvicorn running on http://{server_settings['host']}:{server_settings['port']} (Press CTRL+C to quit)")
    ticker = asyncio.create_task(app.tick())
    await stop.requested.wait()
    _uvicorn("Shutting down")
    server.stop_accepting()
    await _drain(server, stop)
    ticker.cancel()
    if not stop.forced.is_set():
        _uvicorn("Waiting for application shutdown.")
        await app.shut_down()
        _uvicorn("Application shutdown complete.")
    return stop.status()


async def _drain(server: Server, stop: _Stop) -> None:
    """Waits for open requests, for ever unless forced."""
    if server.connections:
        _uvicorn("Waiting for connections to close. (CTRL+C to force quit)")
    while server.connections and not stop.forced.is_set():
        await asyncio.sleep(0.05)


class _Stop:
    """The two signals: the first asks, a SIGINT after it forces; further SIGTERMs do nothing."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.forced = asyncio.Event()
        self.first: int | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        if self.first is None:
            self.first = number
            self.requested.set()
        elif number == signal.SIGINT:
            self.forced.set()

    def status(self) -> int:
        """uvicorn raises what it caught again: SIGTERM ends the process by that signal, SIGINT (KeyboardInterrupt) by 0."""
        return -signal.SIGTERM if self.first == signal.SIGTERM and not self.forced.is_set() else 0


def _uvicorn(message: str) -> None:
    print(f"INFO:     {message}", file=sys.stderr)
