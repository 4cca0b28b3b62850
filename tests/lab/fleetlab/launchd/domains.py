"""The domains of one launchd, the services loaded in them, and the store of disabled labels."""

import os
import plistlib

from . import definition as definitions
from . import errors
from .errors import LaunchdError
from .job import Job

_STORE = "/private/var/db/com.apple.xpc.launchd"
BOOT_DIRECTORIES = ("/System/Library/LaunchDaemons", "/Library/LaunchDaemons")


class Domain:
    """One domain: `system`, `gui/UID` or `user/UID`."""

    def __init__(self, name, knobs, log):
        self.name = name
        self.uid = 0 if name == "system" else int(name.partition("/")[2])
        self.knobs = knobs
        self.log = log
        self.jobs = {}
        self.disabled = self._read_disabled()

    def scope(self):
        """Returns the words that follow "in domain for" in launchctl's messages."""
        kind, _, uid = self.name.partition("/")
        return "system" if kind == "system" else f"user {kind}: {uid}" if kind == "gui" else f"uid: {uid}"

    def is_loaded(self, label):
        """Says whether the label is loaded (not whether it runs)."""
        return label in self.jobs

    def job(self, label):
        """Returns the loaded job; raises 113 otherwise."""
        if label not in self.jobs:
            raise LaunchdError(errors.NO_SERVICE, label)
        return self.jobs[label]

    # --- the store of disabled labels: survives the property list and the reboot

    def _store_path(self):
        return f"{_STORE}/disabled{'' if self.name == 'system' else '.' + str(self.uid)}.plist"

    def _read_disabled(self):
        try:
            with open(self._store_path(), "rb") as file:
                return dict(plistlib.load(file))
        except (OSError, ValueError):
            return {}

    def set_disabled(self, label, value):
        """Records the label as disabled or enabled, on disk by rename."""
        self.disabled[label] = value
        path = self._store_path()
        try:
            os.makedirs(_STORE, exist_ok=True)
            with open(path + ".new", "wb") as file:
                plistlib.dump(self.disabled, file)
            os.replace(path + ".new", path)
        except OSError as error:
            self.log(f"{self.name}: could not write the store of disabled services: {error}")

    # --- loading

    def bootstrap(self, path, now, host_now, at_boot=False):
        """Loads one property list; raises the number that launchd answers."""
        loaded = definitions.load(path, owner=self.uid, check_owner=self.knobs["plist_owner_check"])
        for warning in loaded.warnings:
            self.log(f"{self.name}/{loaded.label}: {warning}")
        if loaded.label in self.jobs:
            self.log(f"{self.name}/{loaded.label}: Bootstrap failed (37: Operation already in progress)")
            raise LaunchdError(errors.EALREADY, path)
        if self.disabled.get(loaded.label, loaded.disabled):
            raise LaunchdError(errors.DISABLED, path)
        job = Job(loaded, self, self.knobs, self.log, self.uid)
        self.jobs[loaded.label] = job
        self.log(f"{self.name}/{loaded.label}: bootstrap {'at boot' if at_boot else 'requested'}")
        job.loaded(now, host_now)

    def boot(self, now, host_now):
        """Loads every daemon of the boot directories by launchd's rules; what is refused is logged and left out."""
        for directory in BOOT_DIRECTORIES:
            try:
                names = sorted(os.listdir(directory))
            except OSError:
                continue
            for name in names:
                path = f"{directory}/{name}"
                if not name.endswith(".plist") or name.startswith("."):
                    continue
                if os.path.islink(path):
                    self.log(f"boot: skipped symbolic link {path}")
                    continue
                try:
                    self.bootstrap(path, now, host_now, at_boot=True)
                except LaunchdError as error:
                    self.log(f"boot: {path}: {error.number}: {errors.text(error.number)}")
