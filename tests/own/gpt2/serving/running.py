"""Runs a server in a separate process and looks at the processes that it starts."""

from contextlib import suppress

import psutil  # a dependency of MAX

from benchmarks.server import Server

MODEL = "tiny-stories"
BATCH, QUEUE = 4, 4


class WatchedServer(Server):
    """A server whose processes can be looked at."""

    def family(self) -> dict[int, str]:
        """Returns a name for each process of the server, by process id."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        found = {self.process.pid: "server"}
        for child in children:
            with suppress(psutil.NoSuchProcess):
                found[child.pid] = " ".join(child.cmdline())
        return found

    def replica(self) -> int:
        """Returns the id of the process with the model."""
        (pid,) = [pid for pid, args in self.family().items() if "ServeReplica" in args]
        return pid
