"""Runs a Python function inside a host, as its root, and brings the result back."""

import json
import os
import traceback

from . import linux

_ALL = ("net", "ipc", "uts", "mnt", "pid")


def run(pid, function, namespaces=_ALL):
    """Calls `function` in the namespaces of `pid`; returns its JSON-able result, raises RuntimeError with its error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _join(pid, namespaces)
        grandchild = os.fork()  # a PID namespace holds children only
        if grandchild:
            os.waitpid(grandchild, 0)
            os._exit(0)
        try:
            document = {"ok": function()}
        except BaseException as error:
            document = {"failed": f"{type(error).__name__}: {error}", "where": traceback.format_exc()}
        with open(writer, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(child, 0)
    document = json.loads(text) if text else {"failed": "the helper inside the host died"}
    if "failed" in document:
        raise RuntimeError(document["failed"])
    return document["ok"]


def _join(pid, namespaces):
    descriptors = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in namespaces]
    for descriptor in descriptors:
        linux.setns(descriptor)


def keep(pid_or_netns, function):
    """Starts `function` in a host's network namespace as a lasting process of the lab; returns its pid."""
    child = os.fork()
    if child == 0:
        try:
            linux.setns(pid_or_netns, linux.CLONE_NEWNET)
            os.setsid()
            linux.name_process("lab-stub")
            function()
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    return child
