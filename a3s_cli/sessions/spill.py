"""Values that are too large for a line: files beside the session, named by their digest.

The name verifies the content, and equal outputs are stored once.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Spilled(NamedTuple):
    """A stored value: `outputFile`, `outputBytes`, `outputSha256`."""

    path: Path
    bytes: int
    sha256: str


class Spill:
    """Writes one value to a file, piece by piece. Never raises: a failed one is dropped."""

    def __init__(self, directory: Path) -> None:
        from hashlib import sha256  # most runs spill nothing

        self._directory = directory
        self._digest = sha256()
        self._size = 0
        self._path = directory / f".{os.urandom(8).hex()}.tmp"
        self._descriptor: int | None = None
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._path, _CREATE, 0o600)
        except OSError:
            self.discard()

    def write(self, data: bytes) -> None:
        """Write the next piece."""
        if self._descriptor is None:
            return
        self._digest.update(data)
        self._size += len(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            self.discard()

    def finish(self, *, sync: bool = False) -> Spilled | None:
        """Name the file by its digest and return it; None if it could not be written."""
        if self._descriptor is None:
            return None
        name = self._digest.hexdigest()
        try:
            if sync:
                os.fsync(self._descriptor)
            os.replace(self._path, self._directory / name)
        except OSError:
            self.discard()
            return None
        self._close()
        return Spilled(self._directory / name, self._size, name)

    def discard(self) -> None:
        """Remove what was written."""
        self._close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def __del__(self) -> None:
        if self._descriptor is not None:
            self.discard()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_spilled(directory: Path, name: object) -> bytes:
    """Return a stored value. Raises ValueError if it is missing or was changed."""
    from hashlib import sha256

    if not isinstance(name, str) or len(name) != 64 or not name.isalnum():
        raise ValueError("not the name of a stored value")
    try:
        data = (directory / name).read_bytes()
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror}") from None
    if sha256(data).hexdigest() != name:
        raise ValueError(f"{name}: was changed")
    return data
