"""The life of the embedded model's server: started or joined, and left.

A server serves one run and dies with it, unless it was asked to stay (`kept`). Two
copies of the weights are in memory only where both fit; else a run waits for the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from ..config.installation import how_to_add
from ..errors import ConfigError, ProviderError
from ..model import Endpoint
from ..processes.spawner import Service
from ..values import State, Value
from . import kept, memory, states, weights

CONTEXT = 8192
#: Tokens that are read at a time: how often progress can be told.
BATCH = 256
#: Seconds that loading may take, and after which it is told that it takes long.
LOADING, LONG = 300.0, 5.0
#: Seconds between two tries for a lock, and how long another run is waited for.
PAUSE, QUEUE = 0.25, 1800.0


class Wish(Value):
    """What server a run needs, and what becomes of it."""

    model: Path
    environment: Mapping[str, str]
    #: What the model will read first.
    beginning: str
    #: Seconds for which the server stays; None if it ends with the run.
    keep_alive: float | None = None
    #: Whether this process lives on, and the server as long.
    lives_on: bool = False


class Server(State):
    """A running server. `gone` is done when it has ended by itself."""

    service: Service | None
    link: kept.Joined | None
    address: str
    key: str
    log: Path | None
    states: Path | None
    gone: asyncio.Task[bytes]
    #: Whether the beginning is what the model has last read.
    prepared: bool = False
    #: The lock that says that a copy of weights is in memory.
    lock: int | None = None

    def endpoint(self, model: str) -> Endpoint:
        """Return the server as an ordinary endpoint of its wire."""
        return Endpoint("local", model, "openai-chat", f"{self.address}/v1", self.key)

    async def stop(self) -> None:
        """Stop the server, or leave one that stays; remove a log that is of no use any more."""
        self.gone.cancel()
        if self.link:
            self.link.writer.close()
        if self.service:
            await self.service.stop()
            if self.log:
                self.log.unlink(missing_ok=True)
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def death(self) -> ProviderError:
        """Return the error for a server that ended by itself."""
        reason, hint = last_words(self.log)
        return ProviderError(f"the embedded model's server ended: {reason}", hint=hint)


async def acquire(wish: Wish, notice: Callable[[str, str], None]) -> Server:
    """Return a server with the model loaded: one that stays, or a new one.

    `notice` is given the code and the text of a notice. Raises ConfigError if the model
    cannot be loaded, or not within `LOADING` seconds, and SessionBusy if there is no memory.
    """
    if not weights.runtime_installed():
        raise ConfigError(
            "the embedded model needs the extra `local`, which is not installed",
            hint=how_to_add("local"),
        )

    def is_slow() -> None:
        notice(
            "model_loading",
            f"{wish.model.name} is being loaded, which takes longer the first time and while "
            f"other programs are busy (at most {LOADING:.0f} s)",
        )

    slow = asyncio.get_running_loop().call_later(LONG, is_slow)
    try:
        with contextlib.suppress(kept.Refused):
            if server := await _staying(wish):
                return server
        return await _own(wish, notice)
    finally:
        slow.cancel()


async def _staying(wish: Wish) -> Server | None:
    """Return a server that stays, started if this run wants one; else None."""
    directory = states.state_directory(wish.environment)
    if directory is None:
        return None
    served = directory.with_name("served")
    identity = states.identity(wish.model, CONTEXT)
    path = served / f"{states.name_of(identity, b'server')[:16]}.sock"
    log = path.with_suffix(".log")
    wanted = wish.keep_alive is not None or wish.lives_on
    if not wanted and not path.exists():
        return None
    served.mkdir(mode=0o700, exist_ok=True)
    with timely(wish.model):
        async with asyncio.timeout(LOADING), locked(path.with_suffix(".lock")):
            joined = await kept.join(path, wish.beginning, wish.keep_alive)
            if joined is None and wanted:
                options = {**_options(wish.model, directory), "linger": wish.keep_alive or 0.0}
                await kept.begin(path, options, wish.environment, log)
                joined = await kept.join(path, wish.beginning, wish.keep_alive)
                if joined is None:
                    raise _not_loaded(wish.model, log)
    if joined is None:
        return None
    if wish.lives_on:
        kept.hold(path, wish.beginning)
    return Server(
        None,
        joined,
        joined.address,
        joined.key,
        log,
        directory,
        asyncio.ensure_future(joined.reader.read(1)),
        prepared=joined.beginning == wish.beginning,
    )


async def _own(wish: Wish, notice: Callable[[str, str], None]) -> Server:
    """Start a server for this run alone, once there is memory for it."""
    directory = states.state_directory(wish.environment)
    log = directory and directory.with_name(f"server-{os.getpid()}.log")
    lock = await memory.turn(wish.model, directory, notice) if directory else None
    try:
        service = await Service.start(
            (
                *(sys.executable, "-P", str(Path(__file__).with_name("serve.py"))),
                json.dumps(_options(wish.model, directory)),
            ),
            cwd=Path("/"),
            environment=wish.environment,
            stderr=log,
        )
    except BaseException:
        if lock is not None:
            os.close(lock)
        raise
    try:
        with timely(wish.model):
            async with asyncio.timeout(LOADING):
                while not (line := await service.readline()).startswith(b"http"):
                    if not line:
                        raise _not_loaded(wish.model, log)
    except BaseException:
        await service.stop()
        if lock is not None:
            os.close(lock)
        raise
    address, key = line.decode().split()
    gone = asyncio.ensure_future(service.readline())
    return Server(service, None, address, key, log, directory, gone, lock=lock)


def _options(model: Path, directory: Path | None) -> dict[str, Any]:
    return {
        "model": str(model),
        "context": CONTEXT,
        "batch": BATCH,
        "threads": writers(processors()),
        "batch_threads": processors(),
        "states": f"{directory}/" if directory else "",
    }


def _not_loaded(model: Path, log: Path | None) -> ConfigError:
    reason, hint = last_words(log)
    return ConfigError(f"llama.cpp could not load {model}: {reason}", hint=hint)


@contextlib.contextmanager
def timely(model: Path) -> Any:
    """Turn the end of patience into a sentence."""
    try:
        yield
    except TimeoutError:
        raise ConfigError(
            f"{model} was not loaded within {LOADING:.0f} s",
            hint="a smaller model loads sooner: -m local/qwen2.5-coder-0.5b",
        ) from None


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncGenerator[None, None]:
    """Hold a lock file; the kernel gives it back however we end."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(PAUSE)
        yield
    finally:
        os.close(descriptor)


def processors() -> int:
    """Return the number of processors that this process may use.

    A container often shows every processor of its machine and gives a share of their time.
    """
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def writers(available: int) -> int:
    """Return how many of the available processors write the answer.

    Each token reads all the weights, so the memory is the limit: where there are many, every
    second one does as well, and two threads of one core only wait for each other.
    """
    return min(available, max(4, available // 2))


def last_words(log: Path | None) -> tuple[str, str | None]:
    """Return the reason in the log of a server that has ended, and where to read more.

    The log is kept, in the place of the last one that was.
    """
    lines = log.read_text(errors="replace").splitlines() if log and log.exists() else []
    hint = None
    if log and lines:
        kept = log.with_name("server.log")
        os.replace(log, kept)
        hint = f"its log is {kept}"
    for line in reversed(lines):
        if any(word in line.lower() for word in ("error", "failed", "assert")):
            return line.split(" : ")[-1].strip(), hint
    return "it gave no reason; often there is not enough memory", hint
