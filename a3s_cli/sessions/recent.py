"""An index of the sessions by last use, which consists of file names alone.

Ten thousand sessions must be listed as fast as ten, so none of them may be opened. Each
session has one symbolic link in a separate directory. Its name holds the time of the
last use, the workspace and the id; its target is the number of the process that used
the session. The kernel creates, renames and removes a link in one step: nothing needs
to be locked, repaired or compacted, however many processes do so at once.

It is a cache. Whenever the directory of the sessions has changed since the last check,
the two are compared: a session without a link (its process died, or its file was
copied) gets one, and a link without a session is removed.
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
#: A link's name: 14 digits of microseconds, a dot, 12 digits for the workspace, a dot, the id.
_WHEN, _WHERE = 14, 12
_ID = _WHEN + 1 + _WHERE + 1
_NO_PROCESS = "0"
#: Nanoseconds within which two changes may have the same time stamp.
_TICK = 1_000_000_000
#: Nanoseconds by which clocks of several machines may differ.
_AHEAD = 60 * _TICK


class Recent:
    """The index of one directory of sessions."""

    def __init__(self, sessions: Path) -> None:
        self._sessions = sessions
        self.directory = sessions / ".recent"
        #: Has the time stamp that the sessions' directory had at the last check.
        self._checked = self.directory / ".checked"

    def used(self, session: str, workspace: str, before: str | None = None) -> str | None:
        """Record that this process uses a session; `before` is the link of its last use."""
        name = _name(time.time_ns(), _key(workspace), session)
        try:
            if before is None:
                self._link(name, str(os.getpid()))
            else:
                (self.directory / before).rename(self.directory / name)
        except OSError:
            return before  # the next check repairs it
        return name

    def forget(self, session: str, but: str | None = None) -> None:
        """Remove all links of a session except `but`."""
        for name in self._names():
            if name[_ID:] == session and name != but:
                self._remove(name)

    def sessions(self, workspace: str | None = None) -> list[str]:
        """Return the sessions, last used first: all, or those last used in one workspace.

        Sessions that are being removed may be among them.
        """
        names = self._names() if self._is_checked() else self.check()
        if workspace is not None:
            mark = f".{_key(workspace)}."
            names = [name for name in names if mark in name]
        names = _newest_first(names)
        return list(dict.fromkeys([name[_ID:] for name in names]))

    def check(self) -> list[str]:
        """Make the links agree with the sessions; return the names of the links."""
        with contextlib.suppress(OSError):
            changed = self._sessions.stat().st_mtime_ns
            # In this order: a session being created has a link, or is not listed.
            there = {
                name.removesuffix(SUFFIX)
                for name in _listed(self._sessions)
                if name.endswith(SUFFIX)
            }
            kept = self._kept(there)
            missing = there.difference([name[_ID:] for name in kept])
            names = [name for one in missing if (name := self._name_of(one))]
            with contextlib.suppress(OSError):  # without links, every listing is slow
                for name in names:
                    self._link(name, _NO_PROCESS)
                if time.time_ns() - changed > _TICK:
                    self._checked.touch(0o600)
                    os.utime(self._checked, ns=(changed, changed))
            return kept + names
        return []

    def holder(self, session: str) -> int | None:
        """Return the process that last used a session; None if it is unknown."""
        found = [name for name in self._names() if name[_ID:] == session]
        with contextlib.suppress(OSError, ValueError):
            return int(os.readlink(self.directory / max(found, default=""))) or None
        return None

    def _is_checked(self) -> bool:
        """Return whether the sessions are unchanged since the last check."""
        try:
            return self._checked.stat().st_mtime_ns == self._sessions.stat().st_mtime_ns
        except OSError:
            return False

    def _kept(self, there: set[str]) -> list[str]:
        """Return the newest link of each session, and remove the others."""
        seen: set[str] = set()
        kept = []
        for name in _newest_first(self._names()):
            session = name[_ID:]
            # A session created since the listing exists as well.
            if session in seen or not (session in there or self._file(session).exists()):
                self._remove(name)
            else:
                seen.add(session)
                kept.append(name)
        return kept

    def _name_of(self, session: str) -> str | None:
        """Return the name for a missing link; None for an empty session, which is being created."""
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


def _newest_first(names: list[str]) -> list[str]:
    """Sort links. One dated in the future, by a clock that was wrong, is behind all others."""
    names = sorted(names, reverse=True)
    now = _name(time.time_ns() + _AHEAD, "", "")[:_WHEN]
    ahead = next((place for place, name in enumerate(names) if name[:_WHEN] <= now), 0)
    return names[ahead:] + names[:ahead]


def _listed(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _key(workspace: str) -> str:
    """Return the digits that stand for a workspace in a link's name."""
    return fingerprint(os.fsencode(workspace))[:_WHERE]


def _name(when_ns: int, workspace: str, session: str) -> str:
    return f"{when_ns // 1000:0{_WHEN}x}.{workspace}.{session}"
