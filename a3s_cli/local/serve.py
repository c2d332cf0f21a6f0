"""The process in which the model lives: llama.cpp's own server, from a wheel.

This is a script, run by path and importing nothing of a3s, so that the process holds the
model and nothing else. Its one argument is a JSON object of options. The key is made
here; no argument, variable or file has it, and other processes cannot read our memory.

Usually it is a run's child: it writes `ADDRESS KEY` to stdout when it can answer, and
serves until it is killed. With the option `socket` it stays for as long as it is used:
each run keeps a connection to that Unix socket, is told the address and the key on it,
and counts as a user until it closes it. `linger` seconds after the last one it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

#: Seconds that a user has to say what it wants.
HELLO = 5.0


def main() -> None:
    """Load the model and serve it."""
    options = json.loads(sys.argv[1])
    conceal()
    place = Path(options["socket"]) if "socket" in options else None
    listener = listening(place) if place else None
    server, key = loaded(options)
    if place and listener:
        Keeper(listener, server.listening_address, key, options["linger"]).keep()
        place.unlink(missing_ok=True)
        os._exit(0)
    os.write(1, f"{server.listening_address} {key}\n".encode())
    while True:
        signal.pause()


def conceal() -> None:
    """Keep other processes of the user from reading our memory, where the kernel can."""
    if sys.platform == "linux":
        import ctypes

        set_dumpable = 4
        ctypes.CDLL(None).prctl(set_dumpable, 0, 0, 0, 0)


def loaded(options: dict[str, Any]) -> tuple[Any, str]:
    """Return the server with its model loaded, and its key."""
    import secrets

    # Threads wait for each other thousands of times in each prompt, by turning in circles. Where
    # one does not run, because another program has its processor, the others burn what time
    # there is, and all takes ten times as long. A short turn costs a quiet machine little.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp  # type: ignore[import-not-found,import-untyped,unused-ignore]

    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = options["model"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = options["context"]
    params.n_parallel = 1
    params.n_batch = options["batch"]
    params.cpuparams.n_threads = options["threads"]
    params.cpuparams_batch.n_threads = options["batch_threads"]
    # Rearranged weights make a prompt a tenth faster and loading half a second slower.
    params.no_extra_bufts = "socket" not in options
    params.sampling.temp = 0
    params.ui = False
    params.offline = True
    params.warmup = False  # the first prompt does as well
    params.fit_params = False  # the context is what it is; no trial run is needed
    params.cache_ram_mib = 0  # one conversation: its state is in the slot
    params.slot_save_path = options["states"]
    return xllamacpp.Server(params), key


def listening(place: Path) -> socket.socket:
    """Return a listening socket; its name is relative because an absolute one may be too long."""
    os.chdir(place.parent)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place.name)
    place.chmod(0o600)
    listener.listen(64)
    return listener


class Keeper:
    """Counts the users of the server, and says when there are none any more."""

    def __init__(self, listener: socket.socket, address: str, key: str, linger: float) -> None:
        self._listener = listener
        self._answer = {"address": address, "key": key}
        self._linger = linger
        #: What the last user has had the model read; the next one need not.
        self._beginning = ""
        self._users: set[socket.socket] = set()

    def keep(self) -> None:
        """Return once there has been no user for long enough."""
        left = time.monotonic()
        first = True
        while True:
            patience = HELLO if first else max(0.0, left + self._linger - time.monotonic())
            ready, _, _ = select.select(
                [self._listener, *self._users], [], [], None if self._users else patience
            )
            if not ready:
                return
            for one in ready:
                if one is self._listener:
                    first = not self._welcome() and first
                else:
                    self._users.discard(one)
                    one.close()
            if not self._users:
                left = time.monotonic()

    def _welcome(self) -> bool:
        user, _ = self._listener.accept()
        user.settimeout(HELLO)
        with contextlib.suppress(OSError, ValueError):
            said = json.loads(user.makefile("rb").readline())
            if is_command(user):
                user.sendall(b'{"refused": true}\n')
            else:
                answer = {**self._answer, "beginning": self._beginning}
                user.sendall(json.dumps(answer).encode() + b"\n")
                self._beginning = said["beginning"]
                if said["linger"] is not None:
                    self._linger = said["linger"]
                self._users.add(user)
                return True
        user.close()
        return False


def is_command(user: socket.socket) -> bool:
    """Return whether a program is one that a run has started: below a supervisor."""
    if not hasattr(socket, "SO_PEERCRED"):
        return False
    size = struct.calcsize("3i")
    credentials = user.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid = struct.unpack("3i", credentials)[0]
    if pid == 0:  # of a namespace that does not see ours
        return True
    with contextlib.suppress(OSError):
        while pid > 1:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if b"/supervisor.py\0" in file.read():
                    return True
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
    return False


if __name__ == "__main__":
    main()
