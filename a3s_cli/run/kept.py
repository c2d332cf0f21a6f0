"""Keeps a run in its session: the conversation so far, and every line from here on.

Writing a session never fails a run. If it cannot be written, the run continues
without it and emits one notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..events import Event, Notice
from ..stream.emitter import Emitter
from ..values import State, field

if TYPE_CHECKING:
    from ..messages import File
    from ..sessions.file import SessionFile
    from ..sessions.past import Past
    from ..sessions.store import Store
    from .conversation import Conversation

#: Stands for the newest session of a workspace, in place of an id.
NEWEST = ""


class Kept(State):
    """A conversation and the file that it is saved in, if any."""

    notices: list[Notice] = field(default_factory=list)
    #: The session that this one has just been copied from; None after its first run.
    forked_from: str | None = None
    #: The conversation of earlier runs.
    _past: Past | None = None
    _store: Store | None = None
    _file: SessionFile | None = None
    _told: bool = False
    _conversation: Conversation | None = None

    @property
    def id(self) -> str | None:
        """The session's id; None if it is not saved."""
        return self._file.id if self._file else None

    @property
    def conversation(self) -> Conversation:
        """The conversation so far. Made on first use, which is after the first event."""
        if self._conversation is None:
            from .conversation import Conversation

            self._conversation = Conversation(keeper=self._file)
            if self._past:
                self._conversation.messages = list(self._past.messages)
                self._conversation.call_ids.take(self._past.call_ids)
        return self._conversation

    @property
    def whole(self) -> bool:
        """Whether every line so far is on disk."""
        return self._file is not None and self._file.failure is None

    def force_by(self, force: Callable[[Callable[[], None]], object]) -> None:
        """Let `force` flush lines to disk, in order and before `close`."""
        if self._file:
            self._file.force = force

    def begin(self, emitter: Emitter) -> None:
        """Save every line of a run, from the first one on."""
        if self._file:
            emitter.add_line_sink(self._file.write, first=True)

    def ask(self, prompt: str, files: Sequence[File] = ()) -> None:
        """Add a run's prompt, its files, and a notice of what its predecessor left unfinished."""
        conversation = self.conversation
        if conversation.unfinished:
            self.notices.append(Notice(code="session_interrupted", text=conversation.unfinished))
        conversation.prompt(prompt, files)

    def settle(self, why: str) -> None:
        """Complete the conversation of a run that failed before its work began."""
        if self._conversation is not None:
            self._conversation.settle(why)

    def tell(self, emitter: Emitter) -> None:
        """Emit a notice, once, if the session could not be saved."""
        notices, self.notices = self.notices, []
        if self._file and self._file.failure and not self._told:
            self._told = True
            notices.append(_not_kept(str(self._file.failure)))
        for notice in notices:
            emitter.emit(notice)

    def end_run(self, ended: Event | None) -> None:
        """Flush the session, after the run's terminal event."""
        self.forked_from = None
        if self._file:
            unfinished = self._conversation.unfinished if self._conversation else ""
            self._file.end_run(unfinished, ended)

    def close(self) -> None:
        """Unlock the session, and prune old ones."""
        if self._store:
            from ..sessions.pruning import prune_if_due

            prune_if_due(self._store)
        self.release()

    def release(self) -> None:
        """Unlock the session."""
        if self._file:
            self._file.close()

    def forget(self) -> None:
        """Drop the conversation from memory; what is on disk stays there."""
        self._past = self._conversation = None


def keep(
    environment: Mapping[str, str],
    workspace: Path,
    hide: Callable[[str], str],
    *,
    resume: str | None = None,
    named: str | None = None,
    fork: bool = False,
    directory: Path | None = None,
) -> Kept:
    """Continue a session (`resume`), open one that may be new (`named`), or start one.

    `fork` continues in a copy of the one to resume.

    Raises UsageError if it does not exist, SessionBusy if it is in use.
    """
    from ..sessions.file import NotKept
    from ..sessions.store import Store

    past: Past | None = None
    source: str | None = None
    try:
        store = Store.find(environment) if directory is None else Store(directory)
        if resume is not None:
            name = store.newest(workspace) if resume == NEWEST else resume
            if fork:
                source = store.named(name)
                file, past = store.fork(source, workspace, hide=hide)
            else:
                file, past = store.resume(name, workspace, hide=hide)
        elif named is not None:
            file, past = store.open(named, workspace, hide=hide)
        else:
            file = store.create(workspace, hide=hide)
    except NotKept as failure:
        if source is not None:  # the run continues the conversation all the same
            past = store.past(source)
        return Kept([_not_kept(str(failure))], source, past)
    notices = [
        Notice(code=one.code, text=one.text, file=one.file, line=one.line)
        for one in (past.notices if past else ())
    ]
    return Kept(notices, source, past, store, file)


def _not_kept(why: str) -> Notice:
    return Notice(code="session_not_kept", text=why)
