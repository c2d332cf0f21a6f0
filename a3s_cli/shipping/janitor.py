"""Removes a shipped workspace when the process that used it has ended, however it has ended.

A killed process cannot tidy up, and Ray kills what its dead actors have started. So each
process that unpacks a workspace starts a janitor, which waits for the end of the socket
between them. What another process still uses stays, because that one has a janitor as well.

    python -m a3s_cli.shipping.janitor DESCRIPTOR PLACE
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path

from ..processes import peer
from .tree import remove

#: The file in a place whose shared lock says that it is in use.
LOCK = "lock"
#: Seconds in which commands of the dead process end, which may write until then, and other
#: janitors let go.
PATIENCE = 5.0
_MOMENT = 0.05


def remove_unused(place: Path) -> bool:
    """Remove a place that no process has a lock on; tell whether it is gone."""
    try:
        descriptor = os.open(place / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_lock_of(descriptor, place):
            for name in os.listdir(place):
                if name != LOCK:
                    remove(place / name)
            # The lock goes last: what is interrupted here is found by the next one.
            if os.listdir(place) == [LOCK]:
                remove(place)
        return not place.exists()
    except OSError:
        return False
    finally:
        os.close(descriptor)


def is_lock_of(descriptor: int, place: Path) -> bool:
    """Tell whether a place still has this lock: it may have been removed, and made again."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(place / LOCK))
    except FileNotFoundError:
        return False


def main() -> None:
    """Wait for the end of the process at the other end of the socket, and remove the place."""
    connection = peer.joined(int(sys.argv[1]))
    with contextlib.suppress(OSError):
        connection.recv(1)
    until = time.monotonic() + PATIENCE
    while not remove_unused(Path(sys.argv[2])) and time.monotonic() < until:
        time.sleep(_MOMENT)


if __name__ == "__main__":
    main()
