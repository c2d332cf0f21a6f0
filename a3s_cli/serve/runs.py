"""The runs of this server: each is started once and continues without any connection.

A run is planned and opened by the same functions as on the command line, so
models, rules, sandboxes and sessions mean the same to both, and the
configuration is read again for each run. It is a task of the server's loop. Its
session is locked only during the run: `a3s run --session` can continue it
afterwards, and vice versa.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..api.answer_type import AnswerType
from ..errors import Cancelled, SessionBusy, UsageError
from ..jsontext import clean
from ..permissions.waiting import WaitingApprover
from ..run.kept import keep
from ..run.opening import Opening
from ..run.plan import Plan, load_config, make_plan
from ..run.request import RunRequest
from ..sessions.file import NotKept
from ..sessions.head import Summary
from ..sessions.ids import new_id
from ..sessions.listing import row_json, summaries
from ..sessions.store import Store
from . import approvals
from .branch import go_back
from .disk_threads import beside, later, settled
from .log import Log
from .prompt_request import PromptRequest, blamed
from .refused import Refused, not_found

log = logging.getLogger(__name__)
#: Finished runs that could not be saved, whose lines stay in memory for clients that return.
UNKEPT = 16
#: Requests whose idempotency keys are remembered, so that none starts a second run.
KEYS = 1000


class LiveRun:
    """One run, from the prompt until its session is unlocked."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.id = ""
        self.approver = WaitingApprover("user", approvals.PATIENCE)
        self.log = Log(lambda: self.kept)
        #: Set when the run has started or failed to, and when its session is unlocked.
        self.opened = asyncio.Event()
        self.gone = asyncio.Event()
        # Why it was cancelled, even if that was before it started.
        self._why: Cancelled | None = None
        self._asks = False
        self._opening: Opening | None = None

    @property
    def kept(self) -> bool:
        """Whether every line so far can be read from disk."""
        return self._opening is not None and self._opening.kept.whole

    @property
    def ending(self) -> bool:
        """Whether it is about to end without further action."""
        return self.log.over or self._why is not None

    def open(
        self,
        request: RunRequest,
        plan: Plan,
        *,
        asks: bool,
        branch: Sequence[str] | None = None,
    ) -> None:
        """Open the session and emit the first event, before any work is done.

        With a `branch` the conversation first goes back to behind these messages.
        """
        opening = Opening(request)
        # Before the session is locked: an attachment may not be usable.
        opening.use(plan)
        hide = plan.redactor.whole
        kept = keep(plan.environment, plan.workspace, hide, named=self.session)
        # Syncing a turn to a slow disk must not delay other clients.
        kept.force_by(later)
        if branch is not None:
            go_back(kept, branch)
        opening.keep(lambda _: kept)
        opening.emitter.add_line_sink(self.log.append)
        self._opening, self._asks = opening, asks and plan.on_ask == "prompt"
        if self._why is not None:
            opening.cancel(self._why)
        opening.begin()
        self.id = opening.id

    def tell(self, wake: Callable[[bytes], None]) -> None:
        """Call `wake` now and whenever there are new lines."""
        assert self._opening
        self._opening.emitter.add_line_sink(wake)
        wake(b"")

    async def work(self) -> None:
        """Execute the run to its terminal event and unlock its session."""
        opening = self._opening
        assert opening
        try:
            await opening.execute(self.approver if self._asks else None)
        except Exception as error:  # a bug of ours after the end of the stream
            log.exception("a run has failed", exc_info=error)
        finally:
            opening.voice.steering.close()
            self.log.forget()
            await settled()
            await beside(opening.kept.close)
            # Its key or its lines may be remembered for long; the conversation need not be.
            opening.kept.forget()

    def steer(self, text: str) -> bool:
        """Send a message to the model for the next turn; return False if there is none."""
        going_on = self._opening is not None and not self.ending
        return going_on and self._opening.voice.steering.say(text)  # type: ignore[union-attr]

    def cancel(self, why: Cancelled) -> None:
        """Cancel the run; the stream still gets its terminal event."""
        self._why = self._why or why
        if self._opening is not None:
            self._opening.cancel(why)


class Runs:
    """Every active run, by its session."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        self._common = common
        self._workspace: Path = common["workspace"]
        self._store = _store()
        self._live: dict[str, LiveRun] = {}
        self._unkept: dict[str, LiveRun] = {}
        self._keys: dict[str, tuple[bytes, LiveRun]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Set when a run begins, or has added lines.
        self.watchers: set[asyncio.Event] = set()
        #: Whether new runs are refused, because the server is shutting down.
        self.leaving = False

    def live(self, session: str) -> LiveRun | None:
        """Return the active run of a session, or a finished one whose lines are only in memory."""
        return self._live.get(session) or self._unkept.get(session)

    async def opened(self, session: str) -> LiveRun | None:
        """Return the same, after a prompt that was just posted has started or failed to."""
        while (run := self._live.get(session)) is not None and not run.opened.is_set():
            await run.opened.wait()
        return self.live(session)

    def going_on(self) -> list[LiveRun]:
        """Return the active runs."""
        return list(self._live.values())

    async def begin(self, asked: PromptRequest, *, asks: bool, key: str = "") -> LiveRun:
        """Start a run.

        A request with the `key` of an earlier one gets the run of that request,
        which must be identical. Raises `SessionBusy`, `Refused`, and what is wrong
        with the request or the configuration.
        """
        same = fingerprint(asked)
        while (known := self._keys.get(key)) is not None:
            begun, before = known
            if begun != same:
                raise Refused(422, "key", "this Idempotency-Key belongs to a different request")
            await before.opened.wait()
            if before.id:
                return before
        if self.leaving:
            raise _leaving()
        run = LiveRun(asked.session_id or new_id())
        if key:
            # Before the first await: the same request may arrive meanwhile.
            self._keys[key] = same, run
            while len(self._keys) > KEYS:
                del self._keys[next(iter(self._keys))]
        try:
            await self._take_session(run)
            await beside(self._open, run, asked, asks)
        except BaseException:
            if self._keys.get(key) == (same, run):
                del self._keys[key]
            self._over(run)
            raise
        self._unkept.pop(run.session, None)
        run.opened.set()
        run.tell(self._wake)
        task = asyncio.create_task(self._work(run), name=f"a3s-run-{run.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    def _wake(self, _: bytes = b"") -> None:
        for woken in self.watchers:
            woken.set()

    async def _take_session(self, run: LiveRun) -> None:
        """Make `run` the active run of its session, after an ending one is gone.

        Raises `SessionBusy` if another run is active.
        """
        while (previous := self._live.get(run.session)) is not None:
            if not previous.ending:
                raise SessionBusy(
                    f"a run of the session {run.session} is active",
                    hint="follow it, cancel it, or use another session",
                )
            await previous.gone.wait()
        if self.leaving:
            raise _leaving()
        self._live[run.session] = run

    def path(self, session: str) -> Path:
        """Return the path of a session's file; /dev/null if sessions cannot be saved."""
        return self._store.path(session) if self._store else Path(os.devnull)

    async def sessions(self, limit: int, words: str = "") -> list[dict[str, Any]]:
        """List the sessions of this workspace only, the most recently used first.

        With `words`, only those whose title, first prompt or id contains all of them.
        """
        rows = await beside(self._summaries, limit, words)
        return [{**row_json(row), "live": self._goes_on(row.id)} for row in rows]

    def _goes_on(self, session: str) -> bool:
        # Who has seen the terminal event must not be told otherwise: the file is closed later.
        run = self._live.get(session)
        return run is not None and not run.log.over

    async def require(self, session: str) -> None:
        """Raise `Refused` if there is no such session in this workspace."""
        if self.live(session) is None and session not in await beside(self._own):
            raise _no_session(session)

    def _own(self) -> list[str]:
        return self._store.recent.sessions(str(self._workspace)) if self._store else []

    def _summaries(self, limit: int, words: str) -> list[Summary]:
        return summaries(self._store, self._own(), limit, words) if self._store else []

    async def remove(self, session: str) -> None:
        """Remove a session. Raises SessionBusy if it is in use."""
        if session in self._live:
            raise SessionBusy(
                f"a run of the session {session} is active", hint="cancel it, or wait for its end"
            )
        kept = self._unkept.pop(session, None) is None
        if kept and self._store is not None:
            await beside(self._store.remove, session)

    def _open(self, run: LiveRun, asked: PromptRequest, asks: bool) -> None:
        # A session of another workspace cannot be continued here, even by name.
        if self._store and self._store.has(run.session) and run.session not in self._own():
            raise _no_session(run.session)
        request = self._request(asked)
        plan = make_plan(request, load_config(request))
        run.open(request, plan, asks=asks, branch=asked.branch)

    def _request(self, asked: PromptRequest) -> RunRequest:
        settings = self._common["settings"]
        if asked.model is not None:
            settings = {**settings, "model": asked.model}
        if asked.system is not None:
            settings = {**settings, "system": clean(asked.system)}
        try:
            schema = AnswerType.of(asked.schema).schema
        except UsageError as error:
            raise blamed(asked.schema_field, error) from None
        fields = {**self._common, "settings": settings, "schema": schema}
        prompt = clean(asked.message)
        return RunRequest(**fields, prompt=prompt, attachments=asked.attachments)

    async def _work(self, run: LiveRun) -> None:
        try:
            await run.work()
        finally:
            self._over(run)

    def _over(self, run: LiveRun) -> None:
        if self._live.get(run.session) is run:
            del self._live[run.session]
        if run.id and not run.kept:
            self._unkept[run.session] = run
            while len(self._unkept) > UNKEPT:
                del self._unkept[next(iter(self._unkept))]
        run.opened.set()
        run.gone.set()


def fingerprint(asked: PromptRequest) -> bytes:
    """Return a hash that tells a request from a different one."""
    told = hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass"))
    for file in asked.attachments:
        told.update(hashlib.sha256(file.content or b"").digest())
    return told.digest()


def _leaving() -> Refused:
    return Refused(503, "leaving", "the server is shutting down")


def _no_session(session: str) -> Refused:
    return not_found(f"there is no session {session[:100]!r} in this workspace")


def _store() -> Store | None:
    try:
        return Store.find(os.environ)
    except NotKept:
        return None  # each run emits a notice about it
