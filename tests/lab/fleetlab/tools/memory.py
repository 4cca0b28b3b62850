"""vm_stat, memory_pressure."""

import sys

from . import memory_model
from .registry import served


@served("/usr/bin/vm_stat")
def vm_stat(arguments, context):
    """Prints the counters; an interval is not imitated."""
    if len(arguments) > 1:
        print("usage: vm_stat [[-c count] interval]", file=sys.stderr)
        return 1
    memory = memory_model.of_host(context)
    print(f"Mach Virtual Memory Statistics: (page size of {memory_model.PAGE} bytes)")
    for label, value in (
        ("Pages free", memory.free),
        ("Pages active", memory.active),
        ("Pages inactive", memory.inactive),
        ("Pages speculative", memory.speculative),
        ("Pages throttled", 0),
        ("Pages wired down", memory.wired),
        ("Pages purgeable", memory.purgeable),
        ('"Translation faults"', 118402337),
        ("Pages copy-on-write", 2914402),
        ("Pages zero filled", 88213057),
        ("Pages reactivated", 1184021),
        ("Pages purged", 312044),
        ("File-backed pages", memory.file_backed),
        ("Anonymous pages", memory.anonymous),
        ("Pages stored in compressor", memory.stored),
        ("Pages occupied by compressor", memory.compressor),
        ("Decompressions", 40218),
        ("Compressions", 70377),
        ("Pageins", 6120033),
        ("Pageouts", 412),
        ("Swapins", 0),
        ("Swapouts", memory.swap_used // memory_model.PAGE),
    ):
        print(f"{label + ':':<30} {value:>16}.")
    return 0


@served("/usr/bin/memory_pressure")
def memory_pressure(arguments, context):
    """Prints the percentage; the options that allocate memory are refused by the lab."""
    memory = memory_model.of_host(context)
    head = f"The system has {context.host['memory']} ({memory.total} pages with a page size of {memory_model.PAGE})."
    tail = f"System-wide memory free percentage: {memory.level}%"
    if arguments[1:] == ["-Q"]:
        print(f"{head}\n{tail}")
        return 0
    if arguments[1:]:
        print("lab: memory_pressure allocates memory with these options", file=sys.stderr)
        return 70
    print(f"{head}\n\nStats: \nPages free: {memory.free} \nPages purgeable: {memory.purgeable} \n")
    print(f"Swap I/O:\nSwapins: 0 \n\nPage Q counts:\nPages active: {memory.active} \n")
    print(f"Compressor Stats:\nPages used by compressor: {memory.compressor} \n\nFile I/O:\nPageins: 6120033 \n\n{tail}")
    return 0
