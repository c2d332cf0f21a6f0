"""The directory of sessions: finds, creates, resumes and removes them.

`$XDG_STATE_HOME/a3s/sessions`, or `~/.local/state/a3s/sessions`, readable only by its
owner. The lock on a session is the kernel's (flock): it dies with its holder, so there
is nothing to clean up; `recent` knows which process holds it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SessionBusy, UsageError
from .file import NotKept, SessionFile
from .ids import SHORTEST, check, is_name, new_id
from .lines import Hide, regular
from .recent import SUFFIX, Recent

if TYPE_CHECKING:
    from .head import Summary
    from .past import Past

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_RESUME = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)
#: Pruning holds a lock only for a moment, so it is worth waiting for.
_TRIES, _PAUSE = 5, 0.01
#: How many sessions to compare with a mistyped name.
_NEAR = 1000


class Store:
    """The sessions in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.recent = Recent(directory)

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> Store:
        """Return the user's store, which need not exist. Raises NotKept without a home."""
        state = environment.get("XDG_STATE_HOME", "")
        if not state.startswith("/"):  # the XDG specification says to ignore a relative path
            home = environment.get("HOME", "")
            if not home.startswith("/"):
                raise NotKept(
                    "sessions cannot be saved: there is no home directory",
                    hint="set HOME or XDG_STATE_HOME to an absolute path",
                )
            state = os.path.join(home, ".local", "state")
        return cls(Path(state, "a3s", "sessions"))

    def create(
        self, workspace: Path | str, *, hide: Hide = str, id: str | None = None
    ) -> SessionFile:
        """Create a session. Raises NotKept if it cannot be saved, UsageError if it exists."""
        name = new_id() if id is None else check(id)
        file = SessionFile(self.path(name), self._create(name), self.recent, hide)
        file.note(str(workspace), again=False)
        return file

    def _create(self, name: str) -> int:
        """Create and lock the file of a session."""
        try:
            os.makedirs(self.directory, 0o700, exist_ok=True)
            descriptor = os.open(self.path(name), _CREATE, 0o600)
        except FileExistsError:
            if not self.directory.is_dir():
                raise NotKept(
                    f"the session cannot be saved: {self.directory} is not a directory"
                ) from None
            raise UsageError(f"the session {name!r} already exists") from None
        except OSError as error:
            raise NotKept(
                f"the session cannot be saved: {self.directory}: {error.strerror}"
            ) from None
        self._lock(descriptor, name)
        return descriptor

    def resume(
        self, id: str, workspace: Path | str, *, hide: Hide = str
    ) -> tuple[SessionFile, Past]:
        """Continue a session, given by its id or an unambiguous prefix of it.

        If the file is readable but not writable, the session continues and is not saved.
        Raises UsageError if it does not exist, SessionBusy if it is in use.
        """
        name = self.named(id)
        path = self.path(name)
        unwritable: NotKept | None = None
        try:
            descriptor = regular(path, _RESUME)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise UsageError(f"the session {name}: {error.strerror}") from None
            unwritable = NotKept(f"the session cannot be saved: {path}: {error.strerror}")
            descriptor = self._open_to_read(path)
        self._lock(descriptor, name)
        file, past = self._opened(name, descriptor, hide, unwritable)
        if unwritable is None:
            file.note(str(workspace), again=True)
        return file, past

    def fork(
        self, id: str, workspace: Path | str, *, hide: Hide = str, into: str | None = None
    ) -> tuple[SessionFile, Past]:
        """Continue in a copy of a session, which stays as it is, even if it is in use.

        Raises NotKept if the copy cannot be saved, UsageError if there is no such session.
        """
        from .copying import copy

        source, name = self.named(id), into or new_id()
        with open(self._open_to_read(self.path(source)), "rb") as lines:
            descriptor = self._create(name)
            try:
                copy(lines.fileno(), descriptor, self.spilled(source), self.spilled(name))
            except OSError as error:
                self.erase(name)
                os.close(descriptor)
                raise NotKept(f"the session cannot be copied: {error.strerror}") from None
        file, past = self._opened(name, descriptor, hide)
        file.forked(source, past.unfinished)
        file.note(str(workspace), again=False)
        return file, past

    def rename(self, id: str, title: str) -> None:
        """Set the title of a session. Raises UsageError, or SessionBusy if it is in use."""
        name = self.named(id)
        try:
            descriptor = regular(self.path(name), _RESUME)
        except OSError as error:
            raise NotKept(f"the session {name} cannot be renamed: {error.strerror}") from None
        self._lock(descriptor, name)
        file, past = self._opened(name, descriptor, str)
        file.rename(title, past.unfinished)
        file.close()
        if file.failure is not None:
            raise file.failure

    def _opened(
        self, name: str, descriptor: int, hide: Hide, unwritable: NotKept | None = None
    ) -> tuple[SessionFile, Past]:
        """Read an open file, and mend its end: a last line that is torn, a last run without one."""
        from .past import Reading

        path = self.path(name)
        reading = Reading(path, self.spilled(name))
        os.lseek(descriptor, 0, os.SEEK_SET)  # a copy has just been written
        with open(descriptor, "rb", closefd=False) as lines:
            past = reading.read(lines)
        file = SessionFile(path, descriptor, self.recent, hide, reading.facts, reading.size)
        if unwritable is not None:
            file.lose(unwritable)
            return file, past
        if reading.torn:
            os.ftruncate(descriptor, reading.size)
        if reading.interrupted:
            file.interrupted()
        return file, past

    def open(self, id: str, workspace: Path | str, *, hide: Hide = str) -> tuple[SessionFile, Past]:
        """Continue the session with exactly this id, or create it."""
        if self.has(check(id)):
            return self.resume(id, workspace, hide=hide)
        from .past import Past

        return self.create(workspace, hide=hide, id=id), Past()

    def newest(self, workspace: Path | str) -> str:
        """Return the session last used in a workspace. Raises UsageError if there is none."""
        for name in self.recent.sessions(str(workspace)):
            if self.has(name):
                return name
        raise UsageError(
            "this directory has no session to continue",
            hint="a3s sessions list shows those of other directories",
        )

    def ids(self) -> list[str]:
        """Return all sessions, last used first."""
        return self.recent.sessions()

    def summary(self, id: str) -> Summary | None:
        """Return the summary of a session; None if it is gone."""
        from .head import summary

        try:
            return summary(id, self.path(id), self.spilled(id))
        except OSError:
            return None

    def past(self, id: str) -> Past:
        """Read the conversation of a session, even if it is in use. Raises UsageError."""
        from .past import Reading

        path = self.path(id)
        with open(self._open_to_read(path), "rb") as lines:
            return Reading(path, self.spilled(id)).read(lines)

    def path(self, id: str) -> Path:
        """Return the path of a session's file."""
        return self.directory / (id + SUFFIX)

    def spilled(self, id: str) -> Path:
        """Return the directory of a session's large values."""
        return self.directory / (id + ".d")

    def named(self, id: str) -> str:
        """Return the id that an id or a prefix means. Raises UsageError with the nearest ids."""
        if self.has(id):
            return id
        known = self.ids()
        meant = [one for one in known if len(id) >= SHORTEST and one.startswith(id)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            few = ", ".join(sorted(meant)[:3])
            raise UsageError(f"{len(meant)} sessions begin with {id!r}: {few} …")
        raise _unknown(id, known)

    def has(self, id: str) -> bool:
        """Return whether there is a session with exactly this id."""
        return is_name(id) and os.path.lexists(self.path(id))

    def known(self, id: str) -> None:
        """Raise UsageError unless there is a session with exactly this id."""
        if not self.has(id):
            raise _unknown(id, self.ids())

    def remove(self, id: str) -> None:
        """Remove a session and its large values. Raises UsageError, or SessionBusy if in use."""
        self.known(id)
        descriptor = self._open_to_read(self.path(id))
        try:
            self._lock(descriptor, id, close=False)
            self.erase(id)
        finally:
            os.close(descriptor)
        self.recent.forget(id)

    def erase(self, id: str) -> None:
        """Remove the files of a locked session."""
        import shutil  # it imports every archive format

        shutil.rmtree(self.spilled(id), ignore_errors=True)
        try:
            os.unlink(self.path(id))
        except OSError as error:
            raise NotKept(f"the session {id} cannot be removed: {error.strerror}") from None

    def _open_to_read(self, path: Path) -> int:
        try:
            return regular(path, _READ)
        except OSError as error:
            raise UsageError(f"the session {path.stem}: {error.strerror}") from None

    def _lock(self, descriptor: int, name: str, *, close: bool = True) -> None:
        try:
            for attempt in range(_TRIES):
                time.sleep(_PAUSE if attempt else 0)
                if locked(descriptor):
                    break
            else:
                raise self._busy(name)
            if not os.fstat(descriptor).st_nlink:
                raise _unknown(name, [])
        except BaseException:
            if close:
                os.close(descriptor)
            raise

    def _busy(self, name: str) -> SessionBusy:
        holder = self.recent.holder(name)
        who = "another process" if holder is None else f"process {holder}"
        return SessionBusy(
            f"the session {name} is in use by {who}",
            hint="wait until it has ended, or start a new session",
        )


def locked(descriptor: int) -> bool:
    """Lock an open file; return False if another process holds the lock. Raises NotKept."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise NotKept(f"the session cannot be locked: {error.strerror}") from None
    return True


def _unknown(name: str, known: list[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(name, known[:_NEAR], 3, 0.5)
    nearest = f"; the nearest: {', '.join(near)}" if near else ""
    return UsageError(
        f"there is no session {name[:100]!r}{nearest}",
        hint="a3s sessions list shows them",
        correction=(name, near[0]) if near else None,
    )
