"""A server in a process of its own, and the processes that it starts."""

from contextlib import suppress

import psutil  # MAX has it

from benchmarks.server import Server

MODEL = "tiny-stories"
BATCH, QUEUE = 4, 4


class WatchedServer(Server):
    """A server whose processes can be looked at."""

    def family(self) -> dict[int, str]:
        """The commands of the processes that it has started, by their numbers."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        found = {self.process.pid: "server"}
        for child in children:
            with suppress(psutil.NoSuchProcess):
                found[child.pid] = " ".join(child.cmdline())
        return found

    def replica(self) -> int:
        """The number of the process that has the model."""
        (pid,) = [pid for pid, args in self.family().items() if "ServeReplica" in args]
        return pid
