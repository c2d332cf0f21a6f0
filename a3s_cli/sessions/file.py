"""Writes a session's file; its only writer.

Nothing here fails a run. If a line cannot be written, the file is truncated to its
last complete line, `failure` says why, and the run continues. Lines are written as
they come, so that a killed process loses nothing; they are synced to disk after each
turn, because the machine may fail, too.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ..errors import OutputError
from ..jsontext import LINE_LIMIT, dumps
from ..messages import File, Message
from .facts import Facts
from .lines import CLOSED, INTERRUPTED, MESSAGES, Hide, line, to_json
from .recent import Recent

if TYPE_CHECKING:
    from ..events import Event
    from .spill import Spill

_TURN_END = b'{"type":"turn_end"'
#: Bytes that a step's line may need besides its messages.
ENVELOPE = 256
_START = b'{"type":"start"'
#: Data and size suffice for a file that is only appended to; macOS lacks this call.
_sync = getattr(os, "fdatasync", os.fsync)


def _at_once(force: Callable[[], None]) -> None:
    force()


class NotKept(OutputError):
    """The session cannot be saved, or not any longer; the run itself can continue."""


class SessionFile:
    """An open session. It is locked until `close`, or until the process dies."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        recent: Recent,
        hide: Hide,
        facts: Facts | None = None,
        size: int = 0,
    ) -> None:
        self.id = path.stem
        self.path = path
        #: What a list shows of it.
        self.facts = facts or Facts()
        #: Why the session is no longer saved; the run reports it, once.
        self.failure: NotKept | None = None
        #: Runs what syncs lines to disk: at once, or later beside a busy loop.
        self.force: Callable[[Callable[[], None]], object] = _at_once
        self._descriptor: int | None = descriptor
        self._recent = recent
        self._hide = hide
        #: Bytes of the complete lines in the file.
        self._size = size
        self._workspace = ""
        self._noted: str | None = None

    def note(self, workspace: str, *, again: bool) -> None:
        """Record the session as the last used one of a workspace."""
        self._workspace = workspace
        self._noted = self._recent.used(self.id, workspace)
        if again:
            self._recent.forget(self.id, but=self._noted)

    def lose(self, why: NotKept) -> None:
        """Stop writing."""
        self.failure = self.failure or why

    def write(self, lines: bytes) -> None:
        """Write finished lines of the stream, as they are on stdout."""
        self.facts.turns += lines.count(b"\n" + _TURN_END) + lines.startswith(_TURN_END)
        if lines.startswith(_START):
            self.facts.begin(orjson.loads(lines.partition(b"\n")[0]).get("model"))
        self._append(lines)

    def keep(self, messages: Sequence[Message]) -> None:
        """Write a step of the conversation: a prompt, a response, the result of a call.

        It is one line, so a step is either in the file or not. `flush`, after the last
        result of a turn, and `end_run` sync what was written to disk.
        """
        self._step(messages, replace=False)

    def replace(self, messages: Sequence[Message]) -> None:
        """Replace the conversation by these messages."""
        self._step(messages, replace=True)
        self.flush()

    def keep_file(self, file: File) -> None:
        """Save a file beside the session, under its digest; a text with a secret is not saved."""
        if (self.spilled / file.sha256).exists():
            return
        if file.is_text and self._hide(file.text) != file.text:
            return
        spill = self.spill()
        if spill is None:
            return
        spill.write(file.content)
        if spill.finish(sync=True) is None:
            self.lose(NotKept("the session is no longer saved: an attachment cannot be written"))

    def interrupted(self) -> None:
        """Mark the last run as interrupted: it has no end."""
        self._append(line(INTERRUPTED, **self.facts.to_json()))

    def end_run(self, unfinished: str = "", ended: Event | None = None) -> None:
        """Write what a list of sessions shows. Call it after the terminal event, `ended`.

        `unfinished` says what was interrupted; empty if nothing was.
        """
        if ended is not None:
            self.facts.end(ended.code, ended.total_tokens, ended.cost_usd)
        self._state(unfinished)
        self.flush()
        if self.failure is None and self._noted is not None:
            self._noted = self._recent.used(self.id, self._workspace, self._noted)

    def rename(self, title: str, unfinished: str) -> None:
        """Set the title of the session, without counting that as a use of it."""
        assert self._descriptor is not None
        used = os.fstat(self._descriptor)
        self.facts.title = title
        self._state(unfinished)
        self.flush()
        os.utime(self._descriptor, ns=(used.st_atime_ns, used.st_mtime_ns))

    def forked(self, source: str, unfinished: str) -> None:
        """Record that the session began as a copy of another one."""
        self.facts.forked_from = source
        self._state(unfinished)

    def spill(self) -> Spill | None:
        """Return a file for a large value beside this one; None if nothing is saved."""
        if self.failure is not None or self._descriptor is None:
            return None
        from .spill import Spill

        return Spill(self.spilled)

    @property
    def spilled(self) -> Path:
        """The directory of the session's large values."""
        return self.path.with_name(self.id + ".d")

    def close(self) -> None:
        """Close and unlock the file; remove it if nothing was written."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if not self._size and not os.fstat(descriptor).st_size:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
                self._recent.forget(self.id)
        os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def _state(self, unfinished: str) -> None:
        told = {"unfinished": unfinished} if unfinished else {}
        self._append(line(CLOSED, **self.facts.to_json(), **told))

    def _step(self, messages: Sequence[Message], *, replace: bool) -> None:
        replacing = {"replace": True} if replace else {}
        for message in messages:
            for file in message.files:
                self.keep_file(file)
        said = to_json(messages, self._hide)
        data = dumps(said)
        if len(data) < LINE_LIMIT - ENVELOPE:
            made = line(MESSAGES, **replacing, messages=said)
        else:
            spill = self.spill()
            if spill is None:
                return
            spill.write(data)
            kept = spill.finish(sync=True)
            if kept is None:
                self.lose(
                    NotKept("the session is no longer saved: a long message cannot be written")
                )
                return
            names = {"messagesFile": kept.sha256, "messagesBytes": kept.bytes}
            made = line(MESSAGES, **replacing, **names)
        self._append(made)

    def _append(self, lines: bytes) -> None:
        if self.failure is not None or self._descriptor is None:
            return
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            self._failed(error)
        else:
            self._size += len(lines)

    def flush(self) -> None:
        """Sync what was written to disk."""
        self.force(self._force)

    def _force(self) -> None:
        if self.failure is not None or self._descriptor is None:
            return
        try:
            _sync(self._descriptor)
            if not os.fstat(self._descriptor).st_nlink:
                self.lose(NotKept("the session is no longer saved: its file was removed"))
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.lose(NotKept(f"the session is no longer saved: {error.strerror}"))
