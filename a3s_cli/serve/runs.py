"""The runs of this server: each is begun once, and goes on whoever listens.

A run is planned and opened by the same functions as one of the command line, so
that a model, a rule, a sandbox or a session means the same to both; the
configuration is read for each anew, as there. It runs as a task of the server's
loop. Its session is locked while it goes on, and free in between: `a3s run
--session` may go on with it, and the other way round.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..api.answer_type import AnswerType
from ..errors import Cancelled, SessionBusy
from ..jsontext import clean
from ..run.kept import keep
from ..run.opening import Opening
from ..run.plan import Plan, load_config, make_plan
from ..run.request import RunRequest
from ..sessions.file import NotKept
from ..sessions.head import Summary
from ..sessions.ids import new_id
from ..sessions.listing import row_json, summaries
from ..sessions.store import Store
from .approvals import WebApprover
from .disk_threads import beside, later, settled
from .log import Log
from .prompt_request import PromptRequest
from .refused import Refused, not_found

log = logging.getLogger(__name__)
#: Runs that are over and could not be kept on disk, whose lines stay for who comes back.
UNKEPT = 16
#: Requests whose keys are remembered, so that none of them begins a second run.
KEYS = 1000


class LiveRun:
    """One run, from the prompt until its session is free again."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.id = ""
        self.approver = WebApprover()
        self.log = Log(lambda: self.kept)
        #: Set when the run has begun, or could not; and when it is gone and its session free.
        self.opened = asyncio.Event()
        self.gone = asyncio.Event()
        # What was asked of it before there was a run.
        self._why: Cancelled | None = None
        self._asks = False
        self._opening: Opening | None = None

    @property
    def kept(self) -> bool:
        """Whether every line so far can be read from the disk."""
        return self._opening is not None and self._opening.kept.whole

    @property
    def ending(self) -> bool:
        """Whether it will be gone by itself, and soon."""
        return self.log.over or self._why is not None

    def open(self, request: RunRequest, plan: Plan, *, asks: bool) -> None:
        """Open the session and begin: the first event is there, nothing has been done yet."""
        hide = plan.redactor.whole
        kept = keep(plan.environment, plan.workspace, hide, named=self.session)
        # A disk that takes its time to be sure of a turn must hold up nobody.
        kept.force_by(later)
        opening = Opening(request)
        opening.use(plan)
        opening.keep(lambda _: kept)
        opening.emitter.add_line_sink(self.log.append)
        self._opening, self._asks = opening, asks and plan.on_ask == "prompt"
        if self._why is not None:
            opening.cancel(self._why)
        opening.begin()
        self.id = opening.id

    async def work(self) -> None:
        """Do the run, to its terminal event and until its session is free."""
        opening = self._opening
        assert opening
        try:
            await opening.execute(self.approver if self._asks else None)
        except Exception as error:  # a bug of ours that came after the stream's end
            log.exception("a run has failed", exc_info=error)
        finally:
            self.log.forget()
            await settled()
            await beside(opening.kept.close)
            # Its key or its lines may be known for long, and the conversation is long itself.
            opening.kept.forget()

    def cancel(self, why: Cancelled) -> None:
        """End it; the stream still gets its terminal event."""
        self._why = self._why or why
        if self._opening is not None:
            self._opening.cancel(why)


class Runs:
    """Every run that goes on, by its session."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        self._common = common
        self._workspace: Path = common["workspace"]
        self._store = _store()
        self._live: dict[str, LiveRun] = {}
        self._unkept: dict[str, LiveRun] = {}
        self._keys: dict[str, tuple[bytes, LiveRun]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: Whether nothing begins any more.
        self.leaving = False

    def live(self, session: str) -> LiveRun | None:
        """Give the run of a session that goes on, or one whose lines are nowhere but here."""
        return self._live.get(session) or self._unkept.get(session)

    async def opened(self, session: str) -> LiveRun | None:
        """Give the same, once it is known what comes of a prompt that was posted just now."""
        while (run := self._live.get(session)) is not None and not run.opened.is_set():
            await run.opened.wait()
        return self.live(session)

    def going_on(self) -> list[LiveRun]:
        """Give the runs that are not gone yet."""
        return list(self._live.values())

    async def begin(self, asked: PromptRequest, *, asks: bool, key: str = "") -> LiveRun:
        """Begin a run; raises what is wrong with the request, and SessionBusy.

        A request with the `key` of one before gets the run that that one has begun,
        and must be the same.
        """
        same = fingerprint(asked)
        while (known := self._keys.get(key)) is not None:
            begun, before = known
            if begun != same:
                raise Refused(422, "key", "another request has had this Idempotency-Key")
            await before.opened.wait()
            if before.id:
                return before
        if self.leaving:
            raise _leaving()
        run = LiveRun(asked.session_id or new_id())
        if key:
            # Before anything is waited for: the same request may come meanwhile.
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
        task = asyncio.create_task(self._work(run), name=f"a3s-run-{run.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _take_session(self, run: LiveRun) -> None:
        """Be the run of its session, once the one before it is gone."""
        while (previous := self._live.get(run.session)) is not None:
            if not previous.ending:
                raise SessionBusy(
                    f"a run of the session {run.session} is going on",
                    hint="follow it, cancel it, or use another session",
                )
            await previous.gone.wait()
        if self.leaving:
            raise _leaving()
        self._live[run.session] = run

    def path(self, session: str) -> Path:
        """Give where the lines of a session are kept, if they are."""
        return self._store.path(session) if self._store else Path(os.devnull)

    async def sessions(self, limit: int) -> list[dict[str, Any]]:
        """List the sessions of this workspace, the last used first: no other's are shown."""
        rows = await beside(self._summaries, limit)
        return [{**row_json(row), "live": self._goes_on(row.id)} for row in rows]

    def _goes_on(self, session: str) -> bool:
        # Who has seen the terminal event must not be told otherwise: the file is closed later.
        run = self._live.get(session)
        return run is not None and not run.log.over

    async def require(self, session: str) -> None:
        """Refuse where there is no such session in this workspace."""
        if self.live(session) is None and session not in await beside(self._own):
            raise _no_session(session)

    def _own(self) -> list[str]:
        return self._store.recent.sessions(str(self._workspace)) if self._store else []

    def _summaries(self, limit: int) -> list[Summary]:
        return summaries(self._store, self._own(), limit) if self._store else []

    def _open(self, run: LiveRun, asked: PromptRequest, asks: bool) -> None:
        # One of another workspace is not gone on with here, whoever names it.
        if self._store and self._store.has(run.session) and run.session not in self._own():
            raise _no_session(run.session)
        request = self._request(asked)
        run.open(request, make_plan(request, load_config(request)), asks=asks)

    def _request(self, asked: PromptRequest) -> RunRequest:
        settings = self._common["settings"]
        if asked.model is not None:
            settings = {**settings, "model": asked.model}
        schema = AnswerType.of(asked.schema).schema
        fields = {**self._common, "settings": settings, "schema": schema}
        return RunRequest(**fields, prompt=clean(asked.message))

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
    """Give what tells a request from another, in few bytes."""
    return hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).digest()


def _leaving() -> Refused:
    return Refused(503, "leaving", "the server is about to end")


def _no_session(session: str) -> Refused:
    return not_found(f"there is no session {session[:100]!r} in this workspace")


def _store() -> Store | None:
    try:
        return Store.find(os.environ)
    except NotKept:
        return None  # Each run says so.
