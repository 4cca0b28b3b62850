"""Runs the checks: `run.py [--list] [--only WORD] [--contract]`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from checks import admin, files, knobs, memory, models, wire  # noqa: E402, F401 - importing registers
from checks.harness import CHECKS, CONTRACT, FLYTO, Box, Check, make_models  # noqa: E402
from checks.preload import prepare  # noqa: E402

WORKERS = 4


def stop_everything(*_signal: object) -> None:
    """On SIGTERM and SIGINT: no server outlives the self-test."""
    for box in list(Box.open):
        for server in box.servers:
            server.process.kill()
    for box in list(Box.open):
        shutil.rmtree(box.directory.parent, ignore_errors=True)
    os._exit(143)


def run(check: Check, release: str, root: Path) -> tuple[float, str | None]:
    """Seconds, and None when the check holds, else what went wrong."""
    started = time.monotonic()
    box = Box(release, root / f"{CHECKS.index(check):03d}-{release}")
    try:
        check.function(box)
        return time.monotonic() - started, None
    except Exception:  # noqa: BLE001 - any failure of a check is its result
        logs = "".join(server.output()[-1500:] for server in box.servers)
        return time.monotonic() - started, traceback.format_exc(limit=-3) + logs
    finally:
        box.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="selftest")
    parser.add_argument("--list", action="store_true", help="print the facts that are held, and by which servers")
    parser.add_argument("--only", default="", help="checks whose section or text contains this")
    parser.add_argument("--contract", action="store_true", help="leave the real server out")
    options = parser.parse_args()
    real = (Path(sys.executable).parent / "omlx").exists()
    if not real and not options.contract and not options.list:
        print("selftest: no real server here (run setup); checking the contract server alone", file=sys.stderr)
    chosen = [check for check in CHECKS if options.only in f"{check.section} {check.text}"]
    jobs = [(check, CONTRACT) for check in chosen]
    if real and not options.contract:
        # The slow ones first, so that the quick ones fill the gaps.
        jobs = [(check, FLYTO) for check in chosen if check.both] + jobs
    if options.list:
        for check in chosen:
            print(f"{check.section:>6}  {'both' if check.both else '0.3.8'}  {check.text}")
        return 0
    started = time.monotonic()
    signal.signal(signal.SIGTERM, stop_everything)
    signal.signal(signal.SIGINT, stop_everything)
    root = Path(tempfile.mkdtemp(prefix="omlx-selftest-"))
    try:
        if real and not options.contract:
            prepare()
            Box.real_models = root / "real"
            for kind in ("llm", "embedding"):
                make_models.write_model(Box.real_models, f"{kind}={kind}", hollow=False)
        with ThreadPoolExecutor(WORKERS) as pool:
            results = list(pool.map(lambda job: (*job, *run(*job, root)), jobs))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    failed = [(check, release, problem) for check, release, _, problem in results if problem]
    for check, release, seconds, problem in results:
        print(f"{'FAIL' if problem else 'ok':>4}  {release:<11}  {seconds:4.1f} s  {check.section:>6}  {check.text}")
    for check, release, problem in failed:
        print(f"\n--- {release} {check.section} {check.text}\n{problem}")
    print(f"\n{len(results) - len(failed)} of {len(results)} hold, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
