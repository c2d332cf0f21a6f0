"""What an engine is: it runs jobs somewhere, and knows nothing of what they are.

An engine starts a job on some worker, hands over its lines as they come and cancels it.
Setup, requests and outcomes are bytes to it; `attempt` reads and writes them at the other
end. It reports each job's end exactly once, as `ended` or as `lost`. Engines are found by
name in `ENGINES`; one that needs more than the base installation says so with its install
line.
"""

from __future__ import annotations

from typing import Protocol

from ..errors import UsageError
from ..registry import load

#: Where jobs may run -> the class of the engine.
ENGINES = {"here": "a3s_cli.batch.here:Here", "ray": "a3s_cli.batch.on_ray:Ray"}


class Port(Protocol):
    """The gate, as an engine passes it on to the jobs."""

    @property
    def free(self) -> bool:
        """Whether requests need no permit."""

    @property
    def epoch(self) -> int:
        """Counts how often the pace was reduced."""

    async def permit(self, tokens: int) -> None:
        """Wait for a permit. Raises RateLimited or MaxCost."""

    def sent(self) -> None:
        """Hear that a request leaves now, if there is a pace."""

    def refused(self, reason: str, retry_after: float | None, epoch: int) -> None:
        """Hear that a server has refused a request."""

    def close(self, reason: str, seconds: float) -> None:
        """Hear that a server's limit is used up for so many seconds."""

    def spent(self, tokens: int, usd: float | None, estimate: int) -> None:
        """Hear that a request was answered, and what it has used."""


class Listener(Protocol):
    """What an engine tells of its jobs, always in the event loop that opened it."""

    def ready(self, worker: str, told: bytes) -> None:
        """Hear what a worker says of itself before it has jobs.

        Raises ConfigError if it is not one for this batch.
        """

    def lines(self, job: int, block: bytes) -> None:
        """Take whole lines of a job."""

    def ended(self, job: int, outcome: bytes) -> None:
        """Take the outcome of a job; nothing more comes of it."""

    def lost(self, job: int, why: str) -> None:
        """Hear that a job's worker died; nothing more comes of it."""

    def broken(self, error: Exception) -> None:
        """Hear that the engine cannot go on."""


class Engine(Protocol):
    """A place where jobs run."""

    #: Its name, as in `batch_start`.
    name: str
    #: Whether what it is given leaves this machine.
    remote: bool
    #: Whether workers may say on stderr what goes wrong.
    debug: bool
    #: Where it is to be found, if that was told.
    address: str | None

    def check(self) -> None:
        """Raise what can be known to be wrong before anything is made."""

    async def open(
        self, setup: bytes, jobs: int, port: Port, listener: Listener, archive: bytes = b""
    ) -> None:
        """Get ready for at most so many jobs at a time. Raises what makes that impossible.

        Workers that want the `archive` get it in pieces.
        """

    def start(self, job: int, request: bytes, *, alone: bool) -> None:
        """Start a job; `alone`, so that no other one is lost if it ends its worker."""

    def cancel(self, job: int, why: bytes) -> None:
        """Cancel a job; its lines and its outcome still come."""

    def pause(self, paused: bool) -> None:
        """Take no more lines of jobs, or take them again."""

    def repace(self) -> None:
        """Tell the jobs that the gate is free no longer."""

    async def close(self) -> None:
        """End everything at once. Waits until nothing is left."""


def engine(name: str) -> Engine:
    """Return a new engine by its name. Raises UsageError."""
    if name not in ENGINES:
        known = ", ".join(ENGINES)
        raise UsageError(f"--on {name}: there is no such engine; the engines are {known}")
    found: Engine = load(ENGINES[name])()
    return found
