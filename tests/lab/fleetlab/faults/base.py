"""What all faults have in common."""

from .. import inside, paths
from ..launchd import server


class Fault:
    """Something wrong with one host, until healed."""

    name = ""  # on the command line
    lasting = True
    ends_with_boot = False  # a boot repairs it by nature
    again_after_boot = False  # lives in the host's namespaces and must be made again

    def __init__(self, instance, runtime, words):
        self.instance = instance
        self.runtime = runtime
        self.words = words

    @property
    def spec(self):
        """The host's specification."""
        return self.runtime.spec

    def apply(self):
        """Makes it wrong; may return text to print."""
        raise NotImplementedError

    def heal(self):
        """Makes it right again."""

    def inside(self, function):
        """Runs a function inside the host, as root."""
        if self.runtime.pid is None:
            raise RuntimeError(f"{self.spec.name} is not running")
        return inside.run(self.runtime.pid, function)

    def launchd(self, **document):
        """Asks the host's process 1."""
        return launchd_request(self.runtime, document)

    def no_arguments(self):
        """Refuses arguments."""
        if self.words:
            raise ValueError(f"{self.name} takes no argument")


def launchd_request(runtime, document):
    """Asks the host's process 1, as root; raises RuntimeError with its number."""
    if runtime.pid is None:
        raise RuntimeError(f"{runtime.spec.name} is not running")
    answer = server.request(document, f"/proc/{runtime.pid}/root{paths.LAUNCHD_SOCKET}", timeout=10)
    if answer["error"]:
        raise RuntimeError(answer.get("detail") or f"launchd answered {answer['error']}")
    return answer
