"""Memory for the weights: two copies at once only where both fit.

Every run that has loaded a copy of its own holds a lock, shared. One for whose copy there
is no room waits until it is alone, or until there is room, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import SessionBusy

#: Seconds between two looks, and how long another run is waited for.
PAUSE, QUEUE = 0.5, 1800.0
#: Bytes that a copy needs besides its weights: the context and the buffers of the computation.
BESIDES = 400_000_000


async def turn(model: Path, directory: Path, notice: Callable[[str, str], None]) -> int:
    """Wait until a copy of the weights fits; return the lock to hold for as long as it is there.

    Raises SessionBusy after `QUEUE` seconds.
    """
    path = directory.with_name("memory.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        needed = model.stat().st_size + BESIDES
        began = time.monotonic()
        told = False
        while not fits(needed) and not _alone(descriptor):
            if not told:
                told = True
                notice(
                    "model_waiting",
                    f"another run has a model in memory, and the {needed / 1e9:.1f} GB that "
                    f"{model.name} needs are not free: waiting for that run",
                )
            if time.monotonic() - began > QUEUE:
                raise SessionBusy(
                    f"there is not enough memory for {model.name} beside another run's model",
                    hint="wait for that run, or use a smaller model",
                )
            await asyncio.sleep(PAUSE)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _alone(descriptor: int) -> bool:
    """Return whether no other run holds the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def fits(needed: int) -> bool:
    """Return whether so many bytes are free; assumed where the system does not tell."""
    free = available()
    return free is None or free >= needed


def available() -> int | None:
    """Return the bytes of memory that can be had, within the limit of a container."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        for line in (group / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        found.append(limit - used)
    return min(found, default=None)
