"""A Mac's memory as its counters show it: fixed shares of an idle machine, and what engines on the host say they hold.

The contract with engines: each keeps a file /var/lab/wired/NAME.json with {"bytes": N}, the GPU memory that it pretends
to hold. That is wired memory; it is taken from free pages, then from the file cache, then by compressing, and is capped
by the GPU limit as Metal does. The invariants I1 to I4 of real captures hold for every value.
"""

import dataclasses
import json
import os

from .. import paths

PAGE = 16384
MIB = 1 << 20

# Metal's default working set by RAM in GiB (observed on macOS 15); between them, the next smaller row's share.
_WORKING_SET = {
    8: 5_700_000_000, 16: 12713115648, 24: 19069673472, 48: 40200896512, 64: 55662788608, 96: 83494174720,
    128: 115448725504, 256: 223338299392, 512: 498216206336,
}


def gpu_limit(memory, wired_limit_mb):
    """Returns the bytes that the GPU may keep wired."""
    if wired_limit_mb > 0:
        return wired_limit_mb * MIB
    gib = memory >> 30
    if gib in _WORKING_SET:
        return _WORKING_SET[gib]
    below = max((size for size in _WORKING_SET if size < gib), default=8)
    return memory * _WORKING_SET[below] // (below << 30)


def wired_by_engines():
    """Returns the bytes that all engines on this host say they hold."""
    total = 0
    try:
        names = os.listdir(paths.WIRED)
    except OSError:
        return 0
    for name in names:
        if not name.endswith(".json"):
            continue
        try:
            with open(f"{paths.WIRED}/{name}", encoding="utf-8") as file:
                total += max(0, int(json.load(file)["bytes"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return total


@dataclasses.dataclass
class Memory:
    """Counters, in pages of 16384 bytes; swap in bytes."""

    total: int
    free: int = 0
    active: int = 0
    inactive: int = 0
    speculative: int = 0
    wired: int = 0
    purgeable: int = 0
    file_backed: int = 0
    anonymous: int = 0
    stored: int = 0
    compressor: int = 0
    swap_total: int = 0
    swap_used: int = 0
    pressure: int = 1

    @property
    def level(self):
        """kern.memorystatus_level: percent that is not wired or compressed."""
        return (self.active + self.inactive + self.free + self.speculative) * 100 // self.total


def observe(memory_bytes, wired_limit_mb=0):
    """Computes the counters of this host now."""
    total = memory_bytes // PAGE
    engines = min(wired_by_engines(), gpu_limit(memory_bytes, wired_limit_mb)) // PAGE
    reserved = total * 41291 // 1048576  # kernel and firmware, as on the 16 GB machine captured
    compressor, stored = 12000, 30112
    wired = 131072 + total // 50
    anonymous = 100000 + total // 60
    file_backed = 60000 + total // 10
    free = total - reserved - compressor - wired - anonymous - file_backed
    missing = engines
    taken = min(missing, free - total // 200)
    free, missing = free - taken, missing - taken
    taken = min(missing, file_backed - 20000)
    file_backed, missing = file_backed - taken, missing - taken
    swap = 0
    pressure = 1
    if missing > 0:
        # Three pages compress into one; what is still missing goes to swap.
        pressure = 2
        taken = min(missing, (anonymous - 20000) * 2 // 3)
        anonymous -= taken * 3 // 2
        stored += taken * 3 // 2
        compressor += taken // 2
        missing -= taken
    if missing > 0:
        pressure = 4
        swap = missing * PAGE
    wired += engines - missing
    speculative = min(total // 200, file_backed // 4)
    rest = anonymous + file_backed - speculative
    # Rounding may have cost a page or two: the gap to the total only grows.
    return Memory(
        total=total, free=free, active=rest * 51 // 100, inactive=rest - rest * 51 // 100, speculative=speculative,
        wired=wired, purgeable=min(total // 700, anonymous), file_backed=file_backed, anonymous=anonymous,
        stored=stored, compressor=compressor, swap_used=swap,
        swap_total=-(-swap // (1024 * MIB)) * 1024 * MIB, pressure=pressure,
    )


def of_host(context):
    """Computes the counters of the context's host, with what a test overrides."""
    memory = observe(context.host["memory"], context.state.get("iogpu.wired_limit_mb", 0))
    memory.pressure = context.override("pressure_level", memory.pressure)
    swap = context.override("swap_used_mb")
    if swap is not None:
        memory.swap_used = swap * MIB
        memory.swap_total = -(-memory.swap_used // (1024 * MIB)) * 1024 * MIB
    return memory
