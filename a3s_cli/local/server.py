"""The life of the embedded model's server: started, asked for its state, stopped.

One server serves one run and dies with it. Reading the fixed beginning of every
prompt takes an ordinary processor many seconds, so it is done once: the state of
the model after it is kept beside the weights, under a name that says everything
it depends on, and is loaded again in milliseconds. Only that beginning is ever
kept, nothing of a conversation.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.installation import how_to_add
from ..errors import ConfigError, NetworkError, ProviderError
from ..model import Endpoint
from ..processes.spawner import Service
from ..values import State
from . import weights

if TYPE_CHECKING:
    import asyncio

    from ..transport.post import Transport

CONTEXT = 8192
#: How many states are kept: one for each set of tools that was last in use.
STATES = 3
#: For every request: llama.cpp closes the connection after a streamed answer without having
#: said so, and a request that is sent on it in that moment is lost.
ONE_CONNECTION_EACH = {"connection": "close"}


class Server(State):
    """A running server. `gone` is done when it has ended by itself."""

    service: Service
    address: str
    key: str
    log: Path | None
    states: Path | None
    gone: asyncio.Task[bytes]

    def endpoint(self, model: str) -> Endpoint:
        """Return the server as an ordinary endpoint of its wire."""
        return Endpoint("local", model, "openai-chat", f"{self.address}/v1", self.key)

    async def stop(self) -> None:
        """Stop the server, and remove its log, which is of no use after a good end."""
        self.gone.cancel()
        await self.service.stop()
        if self.log:
            self.log.unlink(missing_ok=True)

    def death(self) -> ProviderError:
        """Return the error for a server that ended by itself."""
        reason, hint = last_words(self.log)
        return ProviderError(f"the embedded model's server ended: {reason}", hint=hint)


async def start(model: Path, environment: Mapping[str, str]) -> Server:
    """Start a server and wait until it has loaded the model."""
    import asyncio
    import json
    import secrets

    if not weights.runtime_installed():
        raise ConfigError(
            "the embedded model needs the extra `local`, which is not installed",
            hint=how_to_add("local"),
        )
    key = secrets.token_urlsafe(24)
    states = state_directory(environment)
    log = states.parent / f"server-{os.getpid()}.log" if states else None
    options = {
        "model": str(model),
        "context": CONTEXT,
        # Generating waits for every thread at every token: one that shares its processor
        # stalls all. Reading a prompt does much between two waits: all may help.
        "threads": max(1, processors() - 1),
        "batch_threads": processors(),
        "states": f"{states}/" if states else "",
    }
    service = await Service.start(
        (sys.executable, "-P", str(Path(__file__).with_name("serve.py")), json.dumps(options)),
        cwd=Path("/"),
        environment={**environment, "A3S_LOCAL_KEY": key},
        stderr=log,
    )
    try:
        while not (line := await service.readline()).startswith(b"http"):
            if not line:
                reason, hint = last_words(log)
                raise ConfigError(f"llama.cpp could not load {model}: {reason}", hint=hint)
    except BaseException:
        await service.stop()
        raise
    gone = asyncio.ensure_future(service.readline())
    return Server(service, line.decode().strip(), key, log, states, gone)


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


def state_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the directory of kept states, made if need be; None where nothing can be kept."""
    try:
        states = weights.directory(environment) / "states"
        states.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, ConfigError):
        return None
    return states if os.access(states, os.W_OK) else None


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
    return "it gave no reason; often the memory did not suffice", hint


def kept_state(server: Server, beginning: bytes, model: Path) -> Path | None:
    """Return the file for the state after `beginning`, which need not exist, or None.

    `beginning` is a request that contains it; with the weights, the runtime and the size of
    the context that is all that the state depends on.
    """
    import hashlib
    from importlib.util import find_spec

    if not server.states:
        return None
    runtime = find_spec("xllamacpp")
    files = [model, *([Path(runtime.origin)] if runtime and runtime.origin else [])]
    found = [path.stat() for path in files]
    identity = repr([CONTEXT, *((stat.st_size, stat.st_mtime_ns) for stat in found)])
    return server.states / hashlib.sha256(beginning + identity.encode()).hexdigest()[:24]


async def restore(server: Server, transport: Transport, state: Path | None) -> bool:
    """Load a kept state; return whether that succeeded. One that cannot be loaded is removed."""
    if not state or not state.exists():
        return False
    arguments = {"filename": state.name}
    try:
        restored = await command(server, transport, "/slots/0?action=restore", arguments)
    except NetworkError:  # llama.cpp aborts
        state.unlink(missing_ok=True)
        raise
    if restored:
        os.utime(state)
    else:
        state.unlink(missing_ok=True)
    return restored


async def prepare(
    server: Server, transport: Transport, state: Path | None, beginning: bytes
) -> None:
    """Have the model read the beginning, and keep its state."""
    await send(server, transport, "/v1/chat/completions", beginning)
    if not state:
        return
    fresh = state.with_name(f"{state.name}.{os.getpid()}")
    if await command(server, transport, "/slots/0?action=save", {"filename": fresh.name}):
        with contextlib.suppress(OSError):
            os.replace(fresh, state)
            prune(state.parent)


def prune(states: Path) -> None:
    """Remove the states that were not used for the longest time."""
    by_age = sorted(states.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[STATES:]:
        old.unlink(missing_ok=True)


async def command(
    server: Server, transport: Transport, path: str, arguments: dict[str, Any]
) -> bool:
    """Send a command that may fail without harm; return whether it succeeded."""
    import json

    from ..transport.post import HttpFailure

    try:
        await send(server, transport, path, json.dumps(arguments).encode())
    except HttpFailure:
        return False
    return True


async def send(server: Server, transport: Transport, path: str, body: bytes) -> bytes:
    """Post to the server and return its whole answer."""
    from ..transport.patience import Patience

    headers = {
        "authorization": f"Bearer {server.key}",
        "content-type": "application/json",
        **ONE_CONNECTION_EACH,
    }
    pieces = transport.post(server.address + path, headers, body, Patience(None, None))
    return b"".join([piece async for piece in pieces])
