"""From what was asked to a batch that can begin: directory, lock, items, history, gate.

Everything that can be wrong is found here, before anything runs. A directory that was made
in vain is removed again.
"""

from __future__ import annotations

import os
import shutil
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..run.plan import Plan, new_run_id
from ..run.request import RunRequest
from ..values import Value, field, replace
from .brief import Brief
from .driver import Driver, Terms
from .engine import engine
from .gate import Gate
from .history import History
from .items import Items
from .journal import NAME, Journal
from .ledger import Ledger
from .output import Output
from .shard import Shard
from .source import Source

if TYPE_CHECKING:
    from ..shipping.archive import Archive


class BatchRequest(Value):
    """One batch, as it was asked for."""

    source: Source
    #: What all of its runs have in common.
    request: RunRequest
    directory: Path
    jobs: int = 8
    rpm: float | None = None
    tpm: float | None = None
    max_cost: float | None = None
    #: A number, or a part of all items such as `5%`.
    max_failures: str | None = None
    attempts: int = 3
    retry_failed: bool = False
    events: bool = True
    in_order: bool = False
    engine: str = "here"
    ray_address: str | None = None
    shard: Shard = field(default_factory=Shard)
    item_models: tuple[str, ...] = ()
    record: bool = False
    keep_sessions: bool = True
    #: Whether the workspace is sent to the workers, each item getting a copy of its own.
    ship: bool = False
    debug: bool = False

    @classmethod
    def default_directory(cls, name: str) -> Path:
        """Return the directory of a batch whose items are in this file."""
        if name == "-":
            raise UsageError("items from stdin need a directory: -d DIR")
        return Path(f"{name}.batch")


class Prepared:
    """A batch that has its lock and its items. Close it, whatever happens."""

    def __init__(self, asked: BatchRequest) -> None:
        """Prepare a batch.

        Raises UsageError for bad items, SessionBusy if another batch has the directory,
        ConfigError for a broken configuration, OutputError where nothing can be written.
        """
        self.asked = asked
        self._engine = engine(asked.engine)
        self._engine.debug, self._engine.address = asked.debug, asked.ray_address
        self._engine.check()
        _require_directory(asked.directory)
        place = asked.shard.directory(asked.directory.absolute())
        made = [one for one in (place, asked.directory.absolute()) if not one.exists()]
        _require_limits(asked)
        most = _most_failures(asked.max_failures)
        request = replace(asked.request, apart=asked.directory.absolute())
        self.brief = Brief(
            request=request,
            directory=place,
            item_models=asked.item_models,
            events=asked.events,
            record=asked.record,
            keep_sessions=asked.keep_sessions,
        )
        plan = self.brief.plan()
        if self._engine.remote:
            _require_no_secret(self.brief.pack(), plan)
        #: The workspace as it is sent, if it is.
        self.archive = _packed(asked, plan) if asked.ship else None
        if self.archive is not None:
            sent = self.archive.names
            self.brief = replace(self.brief, shipped=self.archive.sha256, sent=sent)
        # If this process is ours alone, no command finds the keys in it.
        plan.conceal()
        self.journal = Journal(place / NAME)
        try:
            path = asked.source.file(place)
            check = self.brief.check
            unit = "row" if asked.source.is_table else "line"
            self.items = Items.scan(path, asked.source.name, check, asked.shard, unit)
            self.history = History(self.items)
            self.history.read(self.journal.read())
        except BaseException:
            self.journal.close()
            _remove_unused(made)
            raise
        self.history.batch_id = self.history.batch_id or new_run_id()
        self.terms = Terms(
            jobs=asked.jobs,
            attempts=asked.attempts,
            retry_failed=asked.retry_failed,
            max_failures=None if most is None else most(len(self.items)),
            policy=plan.policy.digest(),
            shipped=self.brief.shipped,
        )

    def driver(self, output: Output) -> Driver:
        """Return what runs the batch."""
        asked, parts = self.asked, self.asked.shard.count
        ledger = Ledger(self.items, self.history, self.journal, output, in_order=asked.in_order)
        gate = Gate(
            rpm=_part(asked.rpm, parts),
            tpm=_part(asked.tpm, parts),
            budget=_part(asked.max_cost, parts),
        )
        return Driver(ledger, gate, self._engine, self.terms)

    async def run(self, driver: Driver) -> int:
        """Run the batch with its driver; return the exit status."""
        archive = b"" if self.archive is None else self.archive.data
        return await driver.run(self.brief.pack(), archive)

    def close(self) -> None:
        """Unlock the directory."""
        self.items.close()
        self.journal.close()


def _packed(asked: BatchRequest, plan: Plan) -> Archive:
    """Return the workspace as it is sent. Raises UsageError for one that cannot be."""
    from ..shipping.archive import pack

    if plan.config.trusted_project is not None:
        raise UsageError(
            f"--ship: the configuration of {plan.config.trusted_project} is trusted here,"
            " and trust does not travel",
            hint="put what it says into your own configuration, or on the command line",
        )
    return pack(asked.request.workspace, plan.redactor.finds, asked.directory.absolute())


def _require_no_secret(setup: bytes, plan: Plan) -> None:
    """Raise UsageError for a key in what all items share and other machines would get."""
    if plan.redactor.finds(setup.decode()):
        raise UsageError(
            "a key was given on the command line, and keys do not leave this machine",
            hint="configure it on each node: an environment variable, or its user's configuration",
        )


def _require_directory(directory: Path) -> None:
    """Raise UsageError if something else is where the directory of a batch is to be."""
    for place in (directory, *directory.absolute().parents):
        if os.path.lexists(place):
            if not place.is_dir():
                raise UsageError(
                    f"{place}: expected a directory, found a file",
                    hint="-d DIR chooses the directory of the batch",
                )
            return


def _part(whole: float | None, parts: int) -> float | None:
    return None if whole is None else whole / parts


def _require_limits(asked: BatchRequest) -> None:
    """Raise UsageError for a limit that would hold nothing back, as NaN does."""
    for name, value in (("rpm", asked.rpm), ("tpm", asked.tpm)):
        if value is not None and not 0 < value < inf:
            raise UsageError(f"--{name}: expected a number above zero")
    if asked.max_cost is not None and not 0 <= asked.max_cost < inf:
        raise UsageError("--max-cost: expected a number from 0")


def _most_failures(text: str | None) -> Any:
    """Return what makes a number of the items' count. Raises UsageError."""
    if text is None:
        return None
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        value = float(number) if percent else int(number)
    except ValueError:
        value = -1
    if not 0 <= value <= (100 if percent else value):
        raise UsageError(f"--max-failures {text}: expected a number, or a part such as 5%")
    return lambda items: int(items * value / 100) if percent else value


def _remove_unused(directories: list[Path]) -> None:
    """Remove directories that were made in vain: nothing has run in them."""
    for directory in directories:
        try:
            if set(os.listdir(directory)) <= {NAME, "items.ndjson", "items.new"}:
                shutil.rmtree(directory)
        except OSError:
            continue
