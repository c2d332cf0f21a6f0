"""Keeps a run in its session: what was said before, and everything from here on.

A session on disk never fails a run. Where there is no room for one the run goes
on without, and says so once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..events import Notice
from ..stream.emitter import Emitter
from ..values import State, field

if TYPE_CHECKING:
    from ..sessions.file import SessionFile
    from ..sessions.past import Past
    from ..sessions.store import Store
    from .conversation import Conversation

#: The newest session of a workspace, in place of an id.
NEWEST = ""


class Kept(State):
    """A conversation, and where it is kept: nowhere, without a file."""

    notices: list[Notice] = field(default_factory=list)
    #: What was said in earlier runs.
    _past: Past | None = None
    _store: Store | None = None
    _file: SessionFile | None = None
    _told: bool = False
    _conversation: Conversation | None = None

    @property
    def id(self) -> str | None:
        """The session's name."""
        return self._file.id if self._file else None

    @property
    def conversation(self) -> Conversation:
        """What has been said; made when it is needed, which is after the first event."""
        if self._conversation is None:
            from .conversation import Conversation

            self._conversation = Conversation(keeper=self._file)
            if self._past:
                self._conversation.messages = list(self._past.messages)
                self._conversation.call_ids.take(self._past.call_ids)
        return self._conversation

    @property
    def whole(self) -> bool:
        """Whether every line so far is on the disk."""
        return self._file is not None and self._file.failure is None

    def force_by(self, force: Callable[[Callable[[], None]], object]) -> None:
        """Let somebody else have lines forced to the disk, in their order and before `close`."""
        if self._file:
            self._file.force = force

    def begin(self, emitter: Emitter) -> None:
        """Keep every line of a run, from its first one."""
        if self._file:
            emitter.add_line_sink(self._file.write)

    def tell(self, emitter: Emitter) -> None:
        """Say, once, what has gone wrong with keeping."""
        notices, self.notices = self.notices, []
        if self._file and self._file.failure and not self._told:
            self._told = True
            notices.append(_not_kept(str(self._file.failure)))
        for notice in notices:
            emitter.emit(notice)

    def end_run(self) -> None:
        """Make what was kept safe, once the run has its terminal event."""
        if self._file:
            self._file.end_run()

    def close(self) -> None:
        """Let others use the session, and the oldest ones go."""
        if self._store:
            from ..sessions.pruning import prune_if_due

            prune_if_due(self._store)
        self.release()

    def release(self) -> None:
        """Let others use the session."""
        if self._file:
            self._file.close()

    def forget(self) -> None:
        """Hold no conversation any more; what is on the disk stays there."""
        self._past = self._conversation = None


def keep(
    environment: Mapping[str, str],
    workspace: Path,
    hide: Callable[[str], str],
    *,
    resume: str | None = None,
    named: str | None = None,
    directory: Path | None = None,
) -> Kept:
    """Go on with a session (`resume`), with one that may be new (`named`), or begin one.

    Raises UsageError for one that does not exist and SessionBusy for one in use.
    """
    from ..sessions.file import NotKept
    from ..sessions.store import Store

    past: Past | None = None
    try:
        store = Store.find(environment) if directory is None else Store(directory)
        if resume is not None:
            name = store.newest(workspace) if resume == NEWEST else resume
            file, past = store.resume(name, workspace, hide=hide)
        elif named is not None:
            file, past = store.open(named, workspace, hide=hide)
        else:
            file = store.create(workspace, hide=hide)
    except NotKept as failure:
        return Kept(notices=[_not_kept(str(failure))])
    notices = [
        Notice(code=one.code, text=one.text, file=one.file, line=one.line)
        for one in (past.notices if past else ())
    ]
    return Kept(notices, past, store, file)


def _not_kept(why: str) -> Notice:
    return Notice(code="session_not_kept", text=why)
