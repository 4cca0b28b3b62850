"""LiteLLM on hosts that ask for it: the environment that tests/lab/litellm/setup makes, and its program as Homebrew would place it."""

import os

from . import paths

PROGRAM = "/opt/homebrew/bin/litellm"
ENVIRONMENT_ON_HOST = "/opt/homebrew/Cellar/litellm/1.106.2/libexec"
# A console script as pip writes one: its first line names the Python that it runs under.
_SCRIPT = f"""#!{ENVIRONMENT_ON_HOST}/bin/python3
import sys
from litellm import run_server
sys.exit(run_server())
"""


def environment():
    """Returns the environment, or None where `scripts/lab-setup --gateway` has not made it."""
    path = paths.base() / "litellm" / "venv"
    return path if (path / ".stamp").exists() else None


def place():
    """Writes the program, inside the host."""
    with open(PROGRAM, "w", encoding="utf-8") as file:
        file.write(_SCRIPT)
    os.chmod(PROGRAM, 0o755)
