"""The recording of a run: its lines in a tamper-evident file.

Each line is stdout's line with one more key at its end, `prev`: the sha256 of the
previous line, newline included, so that `sha256sum` can check it. The first line's
`prev` is the sha256 of no bytes. The digest of the last line is the head; with a copy
of the head kept elsewhere, the whole file can be verified.

A line cannot contain its own digest. So the terminal event is recorded without
`recordHead`, and differs in that key from the one on stdout.

Lines are written before any other sink gets the event, hence before a call whose
`tool_start` they hold is executed, and on the run's own thread: a recording that lags
behind would prove nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from ..errors import OutputError, UsageError
from ..files.workspace import printable

#: The `prev` of a recording's first line.
NOTHING = sha256(b"").hexdigest()
#: Failures to create the file that are not a usage error.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def digest(line: bytes) -> str:
    """Return the sha256 of a recorded line, newline included."""
    return sha256(line).hexdigest()


def chained(line: bytes, prev: str) -> bytes:
    """Return a stream's line as it is recorded."""
    return line[:-2] + b',"prev":"' + prev.encode() + b'"}\n'


class Recording:
    """One recording. It calls `tell` once, if a line cannot be written."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        tell: Callable[[OutputError], None],
        *,
        several: bool = False,
    ) -> None:
        self.path = path
        self._descriptor = descriptor
        self._tell = tell
        self._several = several
        self._size = 0
        self._open = True
        # Whether `finish` has written the run's terminal event.
        self._ended = False
        #: The digest of the last line written.
        self.head = NOTHING
        #: Whether the terminal event is in the file and the file is synced to disk.
        self.complete = False
        #: Whether a line could not be written.
        self.lost = False

    @classmethod
    def create(
        cls, path: Path, tell: Callable[[OutputError], None], *, several: bool = False
    ) -> Recording:
        """Create the file, readable only by its owner. Raises UsageError if it exists.

        With `several`, it stays open for another run after a terminal event, until `close`.
        """
        try:
            descriptor = os.open(path, _CREATE, 0o600)
        except FileExistsError:
            raise UsageError(
                f"--record {printable(str(path))}: the file already exists",
                hint="each run needs its own recording: name a new file",
            ) from None
        except OSError as error:
            kind = OutputError if error.errno in _NO_ROOM else UsageError
            raise kind(f"--record {printable(str(path))}: {error.strerror}") from None
        return cls(path.absolute(), descriptor, tell, several=several)

    def go_on(self, tell: Callable[[OutputError], None]) -> None:
        """Record another run after the last one."""
        self._tell = tell
        self._ended = self.complete = False

    def write(self, lines: bytes) -> None:
        """Record finished lines. Lines after the end or a failure are dropped."""
        if not self._open or self._ended:
            return
        try:
            self._append(lines)
        except OSError as error:
            self.lost = True
            self.close()
            self._tell(self._failure(error.strerror))

    def finish(self, line: bytes) -> str | None:
        """Record the terminal event and return the head; None if the recording was lost before.

        Raises OutputError if it is lost now, which fails the run.
        """
        if not self._open:
            return None
        try:
            self._demand_untouched()
            self._append(line)
            os.fsync(self._descriptor)
        except OSError as error:
            self.close()
            raise self._failure(error.strerror) from None
        except OutputError:
            self.close()
            raise
        if not self._several:
            self.close()
        self._ended = self.complete = True
        return self.head

    def __str__(self) -> str:
        return printable(str(self.path))

    def _append(self, lines: bytes) -> None:
        made = []
        for line in lines.splitlines(keepends=True):
            made.append(chained(line, self.head))
            self.head = digest(made[-1])
        rest = memoryview(b"".join(made))
        self._size += len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def _demand_untouched(self) -> None:
        """Raise OutputError if a tool has replaced, cut or changed the file."""
        mine = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            raise self._failure("it was removed during the run") from None
        if not os.path.samestat(mine, there) or mine.st_size != self._size:
            raise self._failure("it was changed during the run")

    def _failure(self, why: str | None) -> OutputError:
        return OutputError(f"the recording {self} is lost: {why}")

    def close(self) -> None:
        """Stop recording."""
        if self._open:
            self._open = False
            os.close(self._descriptor)
