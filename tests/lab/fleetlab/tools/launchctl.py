"""/bin/launchctl: what can be typed, what it prints, and its exit codes. The work is process 1's."""

import os
import sys

from ..launchd import definition, errors, server
from .registry import served

_USAGE = 64
_SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "FPE": 8, "KILL": 9, "BUS": 10, "SEGV": 11,
    "SYS": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STOP": 17, "TSTP": 18, "CONT": 19, "USR1": 30, "USR2": 31,
}
_RICHER = "Try re-running the command as root for richer errors."


def _say(text):
    print(text, file=sys.stderr)


def _scope(domain):
    kind, _, uid = domain.partition("/")
    if kind == "system":
        return "system"
    return f"user gui: {uid}" if kind == "gui" else f"uid: {uid}"


def _not_found(target):
    domain, _, label = target.rpartition("/")
    _say(f'Could not find service "{label}" in domain for {_scope(domain)}')
    return errors.NO_SERVICE


def _domain_error(domain, number):
    kind, _, uid = domain.partition("/")
    _say(f"Could not find domain for user {kind}: {uid}")
    return number


def _split(target):
    """Returns (domain, label), or None for what is no service target."""
    parts = target.split("/")
    if parts[0] == "system" and len(parts) >= 2 and parts[1]:
        return "system", "/".join(parts[1:])
    if parts[0] in ("gui", "user") and len(parts) >= 3 and parts[1].isdigit() and parts[2]:
        return "/".join(parts[:2]), "/".join(parts[2:])
    return None


def _is_domain(text):
    parts = text.split("/")
    return text == "system" or (len(parts) == 2 and parts[0] in ("gui", "user", "login", "pid") and parts[1].isdigit())


def _bad_target(verb):
    _say("Unrecognized target specifier.")
    return _usage(verb)


def _usage(verb):
    form = "<domain-target> [service-path, service-path2, ...]" if verb == "bootstrap" else "<service-target>"
    _say(f"Usage: launchctl {verb} {form}")
    _say("<service-target> takes a form of <domain-target>/<service-id>.")
    _say("Please refer to `man launchctl` for explanation of the <domain-target> specifiers.")
    return _USAGE


class Launchctl:
    """One call of launchctl."""

    def __init__(self, context):
        self.context = context

    def ask(self, verb, **fields):
        return server.request({"verb": verb, **fields})

    def run(self, arguments):
        if not arguments:
            _say("Usage: launchctl <subcommand> ... | help [subcommand]")
            return _USAGE
        verb = arguments[0]
        handler = getattr(self, "do_" + verb.replace("-", "_"), None)
        if handler is None:
            _say(f"Unrecognized subcommand: {verb}")
            return 1
        return handler(arguments[1:])

    # --- the verbs of today

    def do_bootstrap(self, arguments):
        if len(arguments) < 2:
            return _usage("bootstrap")
        domain, paths = arguments[0], [os.path.abspath(path) for path in arguments[1:]]
        if not _is_domain(domain):
            return _bad_target("bootstrap")
        answer = self.ask("bootstrap", domain=domain, paths=paths)
        number = answer["error"]
        if number == 0:
            return 0
        for path, result in zip(paths, answer.get("results", ()), strict=False):
            if result == errors.EALREADY:
                _say(f"{path}: service already bootstrapped")
            elif result == errors.BAD_PLIST:
                _say(f"{path}: Invalid property list")
        _say(f"Bootstrap failed: {number}: {errors.text(number)}")
        if number == errors.EIO and self.context.uid != 0:
            _say(_RICHER)
        return number

    def do_bootout(self, arguments):
        if arguments[:1] == ["--wait"] or not arguments:
            return _usage("bootout")
        target = _split(arguments[0])
        by_path = target is None and len(arguments) > 1 and _is_domain(arguments[0])
        if by_path:
            label = _label_of(arguments[1])
            target = (arguments[0], label) if label else None
            if target is None:
                _say(f"Boot-out failed: {errors.EIO}: {errors.text(errors.EIO)}")
                return errors.EIO
        if target is None:
            return _bad_target("bootout")
        number = self.ask("bootout", domain=target[0], label=target[1])["error"]
        if number == errors.ESRCH and by_path:
            number = errors.EIO
        if number:
            _say(f"Boot-out failed: {number}: {errors.text(number)}")
        return number

    def _enable(self, verb, arguments):
        if len(arguments) != 1:
            return _usage(verb)
        target = _split(arguments[0])
        if target is None:
            return _bad_target(verb)
        number = self.ask(verb, domain=target[0], label=target[1], disabled=verb == "disable")["error"]
        if number:
            _say(f"Could not {verb} service: {number}: {errors.text(number)}")
        return number

    def do_enable(self, arguments):
        return self._enable("enable", arguments)

    def do_disable(self, arguments):
        return self._enable("disable", arguments)

    def do_kickstart(self, arguments):
        flags = ""
        while arguments and arguments[0].startswith("-"):
            flags += arguments[0][1:]
            arguments = arguments[1:]
        if len(arguments) != 1 or set(flags) - set("kps"):
            return _usage("kickstart")
        target = _split(arguments[0])
        if target is None:
            return _bad_target("kickstart")
        answer = self.ask("kickstart", domain=target[0], label=target[1], kill="k" in flags, pid="p" in flags)
        number = answer["error"]
        if number == errors.NO_SERVICE:
            return _not_found(arguments[0])
        if number == errors.EALREADY:
            return number
        if number:
            _say(f'Could not kickstart service "{target[1]}": {number}: {errors.text(number)}')
            return number
        if "p" in flags:
            print(f"service spawned with pid: {answer['pid']}" if sys.stdout.isatty() else answer["pid"])
        return 0

    def do_kill(self, arguments):
        if len(arguments) != 2:
            return _usage("kill")
        name = arguments[0].upper().removeprefix("SIG")
        number = int(name) if name.isdigit() else _SIGNALS.get(name)
        target = _split(arguments[1])
        if target is None:
            return _bad_target("kill")
        if number is None:
            _say(f"Unrecognized signal: {arguments[0]}")
            return _USAGE
        error = self.ask("kill", domain=target[0], label=target[1], signal=number)["error"]
        if error == errors.NO_SERVICE:
            return _not_found(arguments[1])
        if error == errors.ESRCH:
            _say("No process to signal.")
        elif error == errors.EPERM:
            _say("Not privileged to signal service.")
        elif error:
            _say(f"Could not signal service: {error}: {errors.text(error)}")
        return error

    def do_print(self, arguments):
        if len(arguments) != 1:
            return _usage("print")
        if _is_domain(arguments[0]):
            answer = self.ask("print", domain=arguments[0])
            if answer["error"] in (errors.NO_DOMAIN, errors.DOMAIN_UNSUPPORTED):
                return _domain_error(arguments[0], answer["error"])
        else:
            target = _split(arguments[0])
            if target is None:
                return _bad_target("print")
            answer = self.ask("print", domain=target[0], label=target[1])
            if answer["error"] in (errors.NO_DOMAIN, errors.DOMAIN_UNSUPPORTED):
                return _domain_error(target[0], answer["error"])
            if answer["error"] == errors.NO_SERVICE:
                _say("Bad request.")
                return _not_found(arguments[0])
        if answer["error"]:
            _say(f"Could not print: {answer['error']}: {errors.text(answer['error'])}")
            return answer["error"]
        sys.stdout.write(answer["text"])
        return 0

    def do_print_disabled(self, arguments):
        if len(arguments) != 1 or not _is_domain(arguments[0]):
            return _usage("print-disabled")
        answer = self.ask("print-disabled", domain=arguments[0])
        if answer["error"]:
            return _domain_error(arguments[0], answer["error"])
        sys.stdout.write(answer["text"])
        return 0

    def do_blame(self, arguments):
        target = _split(arguments[0]) if arguments else None
        if target is None:
            return _bad_target("blame")
        answer = self.ask("blame", domain=target[0], label=target[1])
        if answer["error"] == errors.NO_SERVICE:
            return _not_found(arguments[0])
        if answer["error"]:
            _say(f"Could not get blame: {answer['error']}: {errors.text(answer['error'])}")
            return answer["error"]
        sys.stdout.write(answer["text"])
        return 0

    def do_list(self, arguments):
        answer = self.ask("list", label=arguments[0] if arguments else None)
        if answer["error"]:
            _say(f'Could not find service "{arguments[0]}" in domain for port')
            return answer["error"]
        sys.stdout.write(answer["text"])
        return 0

    def do_error(self, arguments):
        if not arguments or not arguments[-1].isdigit():
            return _usage("error")
        print(f"{arguments[-1]}: {errors.text(int(arguments[-1]))}")
        return 0

    def do_managername(self, _arguments):
        print("System" if self.context.uid == 0 else "Background")
        return 0

    def do_version(self, _arguments):
        print(f"Darwin Bootstrapper Version 7.0.0: {self.context.host['build']}; launchd-2735.140.6~1/RELEASE_ARM64E")
        return 0

    def do_help(self, _arguments):
        print("Usage: launchctl <subcommand> ... | help [subcommand]")
        return 0

    # --- the legacy verbs: exit 0 whatever happened

    def _legacy_paths(self, arguments):
        return "-w" in arguments, [path for path in arguments if not path.startswith("-")]

    def do_load(self, arguments):
        enable, paths = self._legacy_paths(arguments)
        for path in paths:
            label = _label_of(path)
            if enable and label:
                self.ask("enable", domain=self._own_domain(), label=label, disabled=False)
            number = self.ask("bootstrap", domain=self._own_domain(), paths=[os.path.abspath(path)])["error"]
            if number:
                _say(f"Load failed: {errors.EIO}: {errors.text(errors.EIO)}")
                _say("Try running `launchctl bootstrap` as root for richer errors.")
        return 0

    def do_unload(self, arguments):
        disable, paths = self._legacy_paths(arguments)
        for path in paths:
            label = _label_of(path)
            number = errors.EIO
            if label:
                if disable:
                    self.ask("disable", domain=self._own_domain(), label=label, disabled=True)
                number = self.ask("bootout", domain=self._own_domain(), label=label)["error"]
            if number:
                _say(f"Unload failed: {errors.EIO}: {errors.text(errors.EIO)}")
                _say("Try running `launchctl bootout` as root for richer errors.")
        return 0

    def do_remove(self, arguments):
        if arguments:
            self.ask("bootout", domain=self._own_domain(), label=arguments[0])
        return 0

    def do_start(self, arguments):
        number = self.ask("start", domain=self._own_domain(), label=arguments[0])["error"] if arguments else _USAGE
        return 3 if number == errors.NO_SERVICE else number

    def do_stop(self, arguments):
        number = self.ask("stop", domain=self._own_domain(), label=arguments[0])["error"] if arguments else _USAGE
        return 3 if number == errors.NO_SERVICE else number

    def _own_domain(self):
        return "system" if self.context.uid == 0 else f"user/{self.context.uid}"


def _label_of(path):
    try:
        label = definition.parse(path).get("Label")
    except errors.LaunchdError:
        return None
    return label if isinstance(label, str) else None


@served("/bin/launchctl")
def launchctl(arguments, context):
    """Runs one launchctl command."""
    return Launchctl(context).run(arguments[1:])
