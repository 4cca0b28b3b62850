"""oMLX on the hosts: a shared layer with what tests/lab/omlx installs, and tiny models in the user's home.

The servers themselves are of tests/lab/omlx; only their place is decided here.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import paths

SOURCES = paths.PACKAGE.parent / "omlx"
ENVIRONMENT_ON_HOST = "/opt/homebrew/Cellar/omlx/0.7.0/libexec"
_TIMEOUT = 300
_PYTHON = "/usr/bin/python3"


def environment():
    """Returns the environment of the real server, or None where `scripts/lab-setup` has not made it."""
    path = paths.base() / "omlx" / "venv-flyto-0.7.0"
    return path if (path / ".stamp").exists() else None


def _digest(*words):
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(str(path.relative_to(SOURCES)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def _once(kind, digest, fill):
    """Returns a directory of the lab that `fill` makes when it is not there yet."""
    home = paths.base() / kind
    target = home / digest
    if target.is_dir():
        return target
    home.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=".new-", dir=home))
    try:
        temporary.chmod(0o755)
        fill(temporary)
        os.rename(temporary, target)
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(temporary, ignore_errors=True)
        if not target.is_dir():  # not because another bring-up was faster
            raise
    return target


def _run(name, *words):
    environment_variables = {**os.environ, "FLEETLAB_PYTHON": _PYTHON, "FLEETLAB_DIR": str(paths.base())}
    done = subprocess.run(
        [SOURCES / name, *words], check=False, timeout=_TIMEOUT, env=environment_variables, capture_output=True, text=True
    )
    if done.returncode:
        raise OSError(f"tests/lab/omlx/{name} failed: {done.stderr.strip()}")


def layer():
    """Returns the layer with /opt/homebrew/bin/omlx and the Python that it names."""
    def fill(root):
        os.umask(0o022)
        _run("install", "--venv", ENVIRONMENT_ON_HOST, str(root / "opt/homebrew"))
        (root / ENVIRONMENT_ON_HOST[1:]).mkdir(parents=True, exist_ok=True)
        python = os.path.realpath(_PYTHON)
        link = root / python[1:]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"{paths.DEBIAN}/debian/bin/{os.path.basename(python)}")

    return _once("omlx-layer", _digest("layer"), fill)


def models(words):
    """Returns a directory with the models that the arguments of make-models name; real weights where they can be made."""
    hollow = environment() is None
    digest = _digest("models", str(hollow), *words)
    return _once("models", digest, lambda root: _run("make-models", *(["--hollow"] if hollow else []), str(root), *words))


def place_models(root, home, uid, words):
    """Copies the models into the host's home, through its root."""
    if not words:
        return
    target = f"{root}{home}/models"
    shutil.copytree(models(words), target, symlinks=True, dirs_exist_ok=True)
    for directory, _, names in os.walk(target):
        os.chown(directory, uid, 20)
        for name in names:
            os.chown(os.path.join(directory, name), uid, 20, follow_symlinks=False)
