"""Where the lab keeps its things on the machine that runs it, and inside a host."""

import os
import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parent
REPOSITORY = PACKAGE.parent.parent.parent

# Inside a host. Nothing of a Mac lives here: it is the lab's own door.
LAB = "/private/var/lab"
HOST_FILE = f"{LAB}/host.json"
KNOBS_FILE = f"{LAB}/knobs.json"
TOOLS_SOCKET = f"{LAB}/run/tools.sock"
LAUNCHD_SOCKET = f"{LAB}/run/launchd.sock"
WIRED = f"{LAB}/wired"
DEBIAN = "/System/Library/Lab"


def base():
    """Returns the directory of all instances: $FLEETLAB_DIR, or target/lab of the repository."""
    given = os.environ.get("FLEETLAB_DIR")
    return pathlib.Path(given).resolve() if given else REPOSITORY / "target" / "lab"


def instance(name):
    """Returns the directory of one instance."""
    return base() / "instances" / name
