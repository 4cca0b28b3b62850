"""The laptop's tailscale: the same answers as a host's, from files instead of a host's context."""

import json
import os
import pathlib

from . import tailscale


def main(arguments, description):
    """Runs one command as the node `laptop`; `~/.tailscale-state.json` may change the answers."""
    with open(description, encoding="utf-8") as file:
        lab = json.load(file)
    try:
        changes = json.loads((pathlib.Path(os.environ["HOME"]) / ".tailscale-state.json").read_text())
    except (OSError, ValueError, KeyError):
        changes = {}
    return tailscale.run(
        arguments, "laptop", lab["peers"], lab["tailnet"], changes.get("state", "Running"), changes.get("nodes", {}), gui=True
    )
