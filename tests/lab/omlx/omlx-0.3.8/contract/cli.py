"""The command line of 0.3.8: `omlx serve` with the flags of facts 1.1, everything else a usage error (exit 2)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

from . import VERSION
from .faults import Faults
from .settings import SAVING_FLAGS, Settings
from .sizes import parse_size


def parser() -> argparse.ArgumentParser:
    """No --version: it does not exist in this release, and asking for it exits 2."""
    top = argparse.ArgumentParser(prog="omlx", description="omlx: LLM inference, optimized for your Mac")
    commands = top.add_subparsers(dest="command", help="Commands")
    serve = commands.add_parser("serve", help="Start OpenAI-compatible server")
    for name in (
        "--model-dir", "--max-model-memory", "--max-process-memory", "--host", "--paged-ssd-cache-dir",
        "--paged-ssd-cache-max-size", "--hot-cache-max-size", "--mcp-config", "--hf-endpoint", "--ms-endpoint", "--http-proxy",
        "--https-proxy", "--no-proxy", "--ca-bundle", "--base-path", "--api-key",
    ):  # fmt: skip
        serve.add_argument(name, default=None)
    for name in ("--port", "--max-concurrent-requests", "--initial-cache-blocks"):
        serve.add_argument(name, type=int, default=None)
    serve.add_argument("--log-level", choices=["trace", "debug", "info", "warning", "error"], default=None)
    serve.add_argument("--no-cache", action="store_true")
    launch = commands.add_parser("launch", help="Launch a coding tool against this server")
    launch.add_argument("tool")
    diagnose = commands.add_parser("diagnose", help="Diagnose problems")
    diagnose.add_argument("target", choices=["menubar"])
    return top


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    if arguments.command == "serve":
        return serve(arguments)
    if arguments.command is None:
        parser().print_help()
        return 1
    print("not part of the lab's contract server", file=sys.stderr)
    return 1


def serve(arguments: argparse.Namespace) -> int:
    # A pipe is block-buffered there too (issue #1814), and `-I` keeps Python from reading this variable itself.
    if os.environ.get("PYTHONUNBUFFERED"):
        sys.stdout.reconfigure(line_buffering=True)
    print("\033[33moMLX - LLM inference, optimized for your Mac\033[0m")
    print("\033[33m├─ https://github.com/jundot/omlx\033[0m")
    print(f"\033[33m└─ Version: {VERSION}\033[0m\n")
    logging.addLevelName(5, "TRACE")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
    base = Path(arguments.base_path).expanduser().resolve() if arguments.base_path else Path.home() / ".omlx"
    settings = Settings(base)
    settings.load(arguments)
    faults = Faults(settings.section("server")["port"])
    time.sleep(faults.number("start_delay_ms") / 1000)
    if faults.get("crash_at_start"):
        sys.stderr.write("Traceback (most recent call last):\nRuntimeError: simulated crash at start\n")
        sys.stderr.flush()
        os._exit(int(faults.get("exit_code", 1)))
    settings.ensure_directories()
    if any(getattr(arguments, flag) is not None for flag in SAVING_FLAGS):
        # Before validation, as there: bad flags poison the file (facts 1.5).
        try:
            settings.save()
            print("Saved CLI arguments to settings.json")
        except OSError as error:
            print(f"Warning: Failed to save settings: {error}")
    from .app import configure_logging, run

    configure_logging(settings)
    print(f"Log directory: {settings.log_dir()}")
    if errors := settings.validate():
        for error in errors:
            print(f"Configuration error: {error}")
        return 1
    for size in (arguments.paged_ssd_cache_max_size, arguments.hot_cache_max_size):
        if size is not None:
            parse_size(size)
    print(f"Base path: {settings.base}")
    print(f"Model directories: {', '.join(map(str, settings.model_dirs()))}")
    status = asyncio.run(run(settings, faults))
    if status < 0:
        sys.stdout.flush()
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status
