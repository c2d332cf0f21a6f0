"""Which sessions there are, the last used first: an index that consists of names alone.

Ten thousand sessions must be listed as fast as ten, so nothing may open each of
them. For each session there is one symbolic link in a directory of its own. Its
name says when the session was last used, in which workspace, and its id; where
it points is the number of the process that used it. A link is made, renamed and
removed in one step by the kernel: there is nothing to lock, to tear or to
compact, however many processes do so at once.

It is a cache. Whenever the directory of the sessions has changed since the last
look, it is held against it: a session without a link (its process died in
between, somebody copied a file) gets one, and a link without a session goes.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ..fingerprint import fingerprint
from .head import workspace_of

#: What follows an id in the name of its file.
SUFFIX = ".ndjson"
#: A link's name: 14 digits of microseconds, a dot, 12 of the workspace, a dot, the id.
_WHEN, _WHERE = 14, 12
_ID = _WHEN + 1 + _WHERE + 1
_NOBODY = "0"
#: Nanoseconds within which two changes may bear the same time.
_TICK = 1_000_000_000


class Recent:
    """The index of one directory of sessions."""

    def __init__(self, sessions: Path) -> None:
        self._sessions = sessions
        self.directory = sessions / ".recent"
        #: Changed when the sessions were, the last time that they were looked at.
        self._checked = self.directory / ".checked"

    def used(self, session: str, workspace: str, before: str | None = None) -> str | None:
        """Note that this process uses a session; `before` is what noted its last use."""
        name = _name(time.time_ns(), _key(workspace), session)
        try:
            if before is None:
                self._link(name, str(os.getpid()))
            else:
                (self.directory / before).rename(self.directory / name)
        except OSError:
            return before  # it will be made good by whoever looks for it
        return name

    def forget(self, session: str, but: str | None = None) -> None:
        """Remove every note of a session, or every one but the last."""
        for name in self._names():
            if name[_ID:] == session and name != but:
                self._remove(name)

    def sessions(self, workspace: str | None = None) -> list[str]:
        """Give every session by its last use, the newest first, or those last used in one place.

        One that is being removed just now may be among them.
        """
        names = self._names() if self._is_checked() else self.check()
        if workspace is not None:
            mark = f".{_key(workspace)}."
            names = [name for name in names if mark in name]
        names.sort(reverse=True)
        return list(dict.fromkeys([name[_ID:] for name in names]))

    def check(self) -> list[str]:
        """Make the links agree with the sessions; give their names."""
        with contextlib.suppress(OSError):
            changed = self._sessions.stat().st_mtime_ns
            # In this order: a session that begins just now has a link, or is not listed.
            there = {
                name.removesuffix(SUFFIX)
                for name in _listed(self._sessions)
                if name.endswith(SUFFIX)
            }
            kept = self._kept(there)
            missing = there.difference([name[_ID:] for name in kept])
            names = [name for one in missing if (name := self._name_of(one))]
            with contextlib.suppress(
                OSError
            ):  # where links cannot be made, each look is a long one
                for name in names:
                    self._link(name, _NOBODY)
                if time.time_ns() - changed > _TICK:
                    self._checked.touch(0o600)
                    os.utime(self._checked, ns=(changed, changed))
            return kept + names
        return []

    def holder(self, session: str) -> int | None:
        """Give the process that used a session last."""
        found = [name for name in self._names() if name[_ID:] == session]
        with contextlib.suppress(OSError, ValueError):
            return int(os.readlink(self.directory / max(found, default=""))) or None
        return None

    def _is_checked(self) -> bool:
        """Whether the sessions are those of the last look."""
        try:
            return self._checked.stat().st_mtime_ns == self._sessions.stat().st_mtime_ns
        except OSError:
            return False

    def _kept(self, there: set[str]) -> list[str]:
        """Give the newest link of each session, and remove the others."""
        seen: set[str] = set()
        kept = []
        for name in sorted(self._names(), reverse=True):
            session = name[_ID:]
            # One that was begun a moment ago is not listed, and is there.
            if session in seen or not (session in there or self._file(session).exists()):
                self._remove(name)
            else:
                seen.add(session)
                kept.append(name)
        return kept

    def _name_of(self, session: str) -> str | None:
        """Give the link that a session lacks; an empty one has only just begun."""
        with contextlib.suppress(OSError):
            status = self._file(session).stat()
            if status.st_size:
                return _name(status.st_mtime_ns, _key(workspace_of(self._file(session))), session)
        return None

    def _names(self) -> list[str]:
        return [name for name in _listed(self.directory) if len(name) > _ID]

    def _file(self, session: str) -> Path:
        return self._sessions / (session + SUFFIX)

    def _link(self, name: str, target: str) -> None:
        try:
            (self.directory / name).symlink_to(target)
        except FileNotFoundError:
            self.directory.mkdir(0o700, exist_ok=True)
            (self.directory / name).symlink_to(target)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self.directory / name).unlink()


def _listed(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _key(workspace: str) -> str:
    """Give what stands for a workspace in a name."""
    return fingerprint(os.fsencode(workspace))[:_WHERE]


def _name(when_ns: int, workspace: str, session: str) -> str:
    return f"{when_ns // 1000:0{_WHEN}x}.{workspace}.{session}"
