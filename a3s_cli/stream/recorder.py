"""The recording of a run: its lines in a file that tells when it was changed.

Each line is stdout's line with one more key at its end, `prev`: the sha256 of
the line before it, newline included, so that `sha256sum` checks it. The first
line's `prev` is the sha256 of nothing. The digest of the last line is the head;
whoever keeps the head elsewhere can prove the whole file.

The head cannot stand in the line that it is the digest of. So the terminal
event is recorded without `recordHead`, and stdout's terminal event, which has
it, differs from the recorded one in that key.

Lines are written before anybody else sees their event, hence before what a
`tool_start` announces is executed, and on the run's own thread: a recording
that lags behind would prove nothing.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from ..errors import OutputError, UsageError
from ..files.workspace import printable

#: The `prev` of a recording's first line: nothing came before it.
NOTHING = sha256(b"").hexdigest()
#: Failures to create the file that are not the argument's fault.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


def digest(line: bytes) -> str:
    """Give the sha256 of a recorded line, newline included."""
    return sha256(line).hexdigest()


def chained(line: bytes, prev: str) -> bytes:
    """Give a stream's line as it is recorded."""
    return line[:-2] + b',"prev":"' + prev.encode() + b'"}\n'


class Recording:
    """One file. `tell` is called once, when a line cannot be written."""

    def __init__(self, path: Path, descriptor: int, tell: Callable[[OutputError], None]) -> None:
        self.path = path
        self._descriptor = descriptor
        self._tell = tell
        self._size = 0
        self._open = True
        #: The digest of the last line that was written.
        self.head = NOTHING
        #: Whether the terminal event is in the file, and the file on the disk.
        self.complete = False
        #: Whether a line could not be written.
        self.lost = False

    @classmethod
    def create(cls, path: Path, tell: Callable[[OutputError], None]) -> Recording:
        """Create the file, for its owner alone; one that is there already is never touched."""
        try:
            descriptor = os.open(path, _CREATE, 0o600)
        except FileExistsError:
            raise UsageError(
                f"--record {printable(str(path))}: the file exists already",
                hint="each run has a recording of its own: name a new file",
            ) from None
        except OSError as error:
            kind = OutputError if error.errno in _NO_ROOM else UsageError
            raise kind(f"--record {printable(str(path))}: {error.strerror}") from None
        return cls(path.absolute(), descriptor, tell)

    def write(self, lines: bytes) -> None:
        """Record finished lines; what comes after the end or a failure is dropped."""
        if not self._open:
            return
        try:
            self._append(lines)
        except OSError as error:
            self.lost = True
            self._close()
            self._tell(self._failure(error.strerror))

    def finish(self, line: bytes) -> str | None:
        """Record the terminal event and give the head; None if the recording was lost before.

        Raises OutputError where it is lost now: the run has failed after all.
        """
        if not self._open:
            return None
        try:
            self._demand_untouched()
            self._append(line)
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._failure(error.strerror) from None
        finally:
            self._close()
        self.complete = True
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
        """Notice a recording that a tool has replaced, cut or written to."""
        mine = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except OSError:
            raise self._failure("it was removed while the run went on") from None
        if not os.path.samestat(mine, there) or mine.st_size != self._size:
            raise self._failure("somebody changed it while the run went on")

    def _failure(self, why: str | None) -> OutputError:
        return OutputError(f"the recording {self} is lost: {why}")

    def _close(self) -> None:
        self._open = False
        os.close(self._descriptor)
