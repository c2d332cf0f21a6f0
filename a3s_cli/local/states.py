"""The kept state of the fixed beginning of every prompt.

Reading it takes an ordinary processor many seconds, so it is done once: the state of
the model after it is kept beside the weights, under a name that says everything it depends
on, and is loaded again in milliseconds. Only that beginning is ever kept, nothing of a
conversation.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, NetworkError
from ..model import Endpoint
from ..transport.patience import Patience
from ..transport.post import HttpFailure, Transport
from . import weights

#: How many states are kept: one for each set of tools that was last in use.
STATES = 3
#: For every request: llama.cpp closes the connection after a streamed answer without having
#: said so, and a request that is sent on it in that moment is lost.
ONE_CONNECTION_EACH = {"connection": "close"}

#: Told how many tokens of the beginning have been read, of how many.
Progress = Callable[[int, int], None]


def state_directory(environment: Mapping[str, str]) -> Path | None:
    """Return the directory of kept states, made if need be; None where nothing can be kept."""
    try:
        states = weights.directory(environment) / "states"
        states.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, ConfigError):
        return None
    return states if os.access(states, os.W_OK) else None


def identity(model: Path, context: int) -> str:
    """Return what a state, and a server, depend on besides the request: weights and runtime."""
    from importlib.util import find_spec

    runtime = find_spec("xllamacpp")
    files = [model, *([Path(runtime.origin)] if runtime and runtime.origin else [])]
    found = [path.stat() for path in files]
    return repr([str(model), context, *((stat.st_size, stat.st_mtime_ns) for stat in found)])


def name_of(identity: str, beginning: bytes) -> str:
    """Return the name of the state after `beginning`, a request that contains it."""
    import hashlib

    return hashlib.sha256(beginning + identity.encode()).hexdigest()[:24]


async def restore(endpoint: Endpoint, transport: Transport, state: Path | None) -> bool:
    """Load a kept state; return whether that succeeded. One that cannot be loaded is removed."""
    if not state or not state.exists():
        return False
    arguments = {"filename": state.name}
    try:
        restored = await command(endpoint, transport, "/slots/0?action=restore", arguments)
    except NetworkError:  # llama.cpp aborts
        state.unlink(missing_ok=True)
        raise
    if restored:
        os.utime(state)
    else:
        state.unlink(missing_ok=True)
    return restored


async def prepare(
    endpoint: Endpoint,
    transport: Transport,
    state: Path | None,
    beginning: bytes,
    progress: Progress,
) -> None:
    """Have the model read the beginning, and keep its state."""
    body = json.loads(beginning) | {"stream": True, "return_progress": True}
    rest = b""
    content = json.dumps(body).encode()
    async for piece in send(endpoint, transport, "/v1/chat/completions", content):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {") and (
                read := json.loads(line[6:]).get("prompt_progress")
            ):
                progress(read["processed"], read["total"])
    if not state:
        return
    fresh = state.with_name(f"{state.name}.{os.getpid()}")
    if await command(endpoint, transport, "/slots/0?action=save", {"filename": fresh.name}):
        with contextlib.suppress(OSError):
            os.replace(fresh, state)
            prune(state.parent)


def prune(states: Path) -> None:
    """Remove the states that were not used for the longest time."""
    by_age = sorted(states.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[STATES:]:
        old.unlink(missing_ok=True)


async def command(
    endpoint: Endpoint, transport: Transport, path: str, arguments: dict[str, Any]
) -> bool:
    """Send a command that may fail without harm; return whether it succeeded."""
    try:
        async for _ in send(endpoint, transport, path, json.dumps(arguments).encode()):
            pass
    except HttpFailure:
        return False
    return True


def send(
    endpoint: Endpoint, transport: Transport, path: str, body: bytes
) -> AsyncGenerator[bytes, None]:
    """Post to the server and yield its answer."""
    headers = {
        "authorization": f"Bearer {endpoint.api_key}",
        "content-type": "application/json",
        **ONE_CONNECTION_EACH,
    }
    address = endpoint.base_url.removesuffix("/v1")
    return transport.post(address + path, headers, body, Patience(None, None))


class Estimate:
    """How far the reading of a beginning has come, in words."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def words(self, read: int, total: int) -> str:
        """Return the share that was read and the time that is left."""
        from .progress import duration

        seconds = time.monotonic() - self._began
        left = seconds / read * (total - read) if read else 0.0
        return f"{100 * read // max(total, 1)}% of {total} tokens, {duration(left)} left"
