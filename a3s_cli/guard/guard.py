"""One run's guard: it records before the first command, and compares after each.

What a command leaves at a protected place stays if it was there before, if the
user's own rules permit it, or if a recorded commit has it at that very path.
Everything else is saved beside the session, and what was there is put back. What
changed while no command ran is the user's, and becomes what was there.

Several runs may share a tree. The first run in it records; each compares after
its own calls; the last one to compare has nothing running beside it that could hide.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from ..values import State, field
from . import contents, neighbours, whose
from .asking import Asking
from .changes import changed
from .contents import NOTHING, Held, Mark
from .neighbours import Neighbour
from .record import Record, Remembered, Repository
from .refs import Refs, head
from .report import Found, Report
from .restoring import Restoring, is_below
from .scan import Place, Scan, place_of
from .trees import Trees
from .verdict import Answer, Facts, Verdict, judge

#: Contents of one path that are remembered as accepted.
_MOST_ACCEPTED = 8

_Result = TypeVar("_Result")


class Ended(NamedTuple):
    """What the guard did after a command, and the files that it had changed, if that is known."""

    reports: list[Report]
    changed: list[str] | None = None


class Guard(State):
    """Guards the tree of one run; `begin` before every command, `end` after it."""

    roots: Sequence[str]
    record: Record
    asking: Asking
    restoring: Restoring
    #: Whether one of the user's own rules permits to write a path.
    permits: Callable[[str], bool] = lambda _: False
    #: Single paths that are protected as well.
    more: tuple[str, ...] = ()
    #: Directories of `pythonX.Y/site-packages` whose start files are protected.
    libraries: frozenset[str] = frozenset()
    #: Why the record is kept in memory only; empty where it is on the disk.
    unrecorded: str = ""
    _scan: Scan = field(init=False)
    _calls: int = 0
    _begun: bool = False
    _mutex: asyncio.Lock = field(default_factory=asyncio.Lock)
    _known: set[str] = field(default_factory=set)
    _refs: dict[str, Refs] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._scan = Scan(self.roots)
        self._scan.files, self._scan.libraries = self.more, self.libraries
        try:
            self.record.open()
        except OSError as failure:
            self._in_memory(failure)

    def close(self) -> None:
        """Let go of the record."""
        if self._begun and not self._calls:
            self.record.finish(lambda: neighbours.withdraw(self.record))
        self.record.close()

    async def begin(self) -> list[Report]:
        """Record what is there; settle first what a killed run has left behind."""
        return await uncancelled(self._begin())

    async def end(self, since: int = 0) -> Ended:
        """Compare what a command has left with the record, and put back what has no right.

        `since` is when it began, in nanoseconds; 0 leaves out what it has changed.
        """
        return await uncancelled(self._end(since))

    # -- before ----------------------------------------------------------------------

    async def _begin(self) -> list[Report]:
        reports: list[Report] = []
        async with self._mutex, self.record.lock():
            if self._calls == 0:
                self.record.load()
                alone = self.record.alone()
                others = await asyncio.to_thread(neighbours.at_work, self.record, self.roots)
                if not self._begun:
                    await asyncio.to_thread(self._look_first)
                if alone:
                    bound = self._crash()
                    if bound:
                        if self._begun:
                            await asyncio.to_thread(self._scan.look)
                        users = whose.since(bound)
                        now = [one for one in others if not one.ended]
                        reports = await self._settle(
                            lambda found: (
                                users(found) and not any(o.covers(found.path) for o in now)
                            ),
                            users_refs=bound,
                        )
                    else:
                        await asyncio.to_thread(self._absorb, self._users(others))
                    self._believe(Trees(self._scan), others, bound)
                    self.record.touch("begun")
                if not self._begun:
                    self._remember_trees()
                    self.record.unfinished = whose.boot()
                    with contextlib.suppress(OSError):
                        neighbours.announce(self.record, self.roots)
                self._save()
                self._begun = True
                self.record.run()
            self._calls += 1
            self.record.touch("beat")
        return reports

    def _look_first(self) -> None:
        self._scan.look()
        trees, more = Trees(self._scan), set()
        for path, place in self._scan.places.items():
            if place is Place.CONFIG:
                directory = trees.hooks(path, contents.read(path)[1])
                if directory and self._is_ours(directory):
                    more.add(directory)
        if more:
            self._scan.more = frozenset(more)
            self._scan.nodes.clear()
            self._scan.look()

    def _remember_trees(self) -> None:
        for tree in Trees(self._scan):
            self._known.add(tree.root)
            self.asking.heads[tree.root] = head(tree.gitdir, tree.commondir)

    def _users(self, others: Sequence[Neighbour]) -> list[str]:
        """Return the paths where only the user can have changed something; note the others."""
        known = {*self.record.places, *(() if self._begun else self._scan.places)}
        found = []
        for path in filter(self._is_ours, sorted(known)):
            other = next((one for one in others if one.covers(path)), None)
            mark = contents.mark(path) if other else None
            if other is None or (other.ended and mark and mark.ctime > other.ended):
                found.append(path)
            elif not self._begun:
                self._adopt(path, other)
        return found

    def _adopt(self, path: str, other: Neighbour) -> None:
        """Take over what another run's record has of a path, whatever is there just now."""
        theirs = other.record.places.get(path) or Remembered(accepted=[NOTHING])
        now = contents.read(path)[0]
        self.record.places[path] = Remembered(theirs.good, [*theirs.accepted], now)
        with contextlib.suppress(OSError):
            self.record.keep(theirs.good, other.record.content(theirs.good))

    def _absorb(self, paths: Iterable[str]) -> None:
        """Take what has changed for the user's."""
        for path in list(paths):
            clock, mark = time.time_ns(), contents.mark(path)
            before = self.record.places.get(path)
            if before and before.mark == mark and mark is not None:
                continue
            now, data = contents.read(path)
            sure = contents.settled(mark, clock)
            if before and before.last == now:
                before.mark = sure if before.accepts(now) else None
            else:
                self._take(path, now, data, sure)

    def _take(self, path: str, now: Held, data: bytes, sure: Mark | None) -> None:
        """Take what is at a path for the user's."""
        if now == NOTHING:
            self.record.places.pop(path, None)
        else:
            self.record.places[path] = Remembered(now, [now], now, sure)
            self.record.keep(now, data)

    def _believe(self, trees: Trees, others: Sequence[Neighbour], bound: int = 0) -> None:
        """Take refs that have moved since the last comparison for the user's work."""
        for commondir in trees.commondirs:
            repository = self.record.repositories.setdefault(commondir, Repository())
            if other := next((one for one in others if one.covers(f"{commondir}/HEAD")), None):
                # Its commands may have moved them.
                theirs = other.record.repositories.get(commondir, Repository())
                repository.tips = {**theirs.tips, **repository.tips}
                continue
            tips = self._refs.setdefault(commondir, Refs(commondir)).tips()
            for path, objects in tips.items():
                mark = contents.mark(path) if bound else None
                if not bound or (mark and mark.ctime > bound):
                    repository.users(objects)
            repository.commands(name for objects in tips.values() for name in objects)

    def _crash(self) -> int:
        """Return until when commands may have run that were killed; 0 where none was."""
        beat, settled = self.record.time("beat"), self.record.time("settled")
        if beat > settled:
            same = self.record.unfinished in ("", whose.boot())
            return beat + (whose.AFTER_BEAT if same else whose.AFTER_CRASH)
        if self.record.unfinished not in ("", whose.boot()):
            return settled + whose.AFTER_CRASH
        return 0

    # -- after -----------------------------------------------------------------------

    async def _end(self, since: int) -> Ended:
        async with self._mutex, self.record.lock():
            self.record.load()
            self._calls -= 1
            if self._calls == 0:
                self.record.rest()
            quiet = self._calls == 0 and self.record.alone()
            before = self._scan.nodes
            await asyncio.to_thread(self._scan.look)
            found = await asyncio.to_thread(changed, before, self._scan, since) if since else None
            users = whose.before(self.record.time("begun") - whose.LAG, before)
            reports = await self._settle(users, before, quiet=quiet)
            if quiet:
                self.record.touch("settled")
                self.record.rest()
            self._save()
            self._scan.close()
        return Ended(reports, found)

    async def _settle(
        self,
        is_users: Callable[[Found], bool],
        before: dict[str, Any] | None = None,
        *,
        users_refs: int = 0,
        quiet: bool = True,
    ) -> list[Report]:
        """Compare, decide and put back.

        Unless it is `quiet`, another command may be writing what is compared: the
        last one to end looks at all of it again.
        """
        differing = await asyncio.to_thread(self._changed, quiet)
        trees = Trees(self._scan) if differing or self.asking.put_back else None
        if before is not None and differing and trees:
            for tree in trees:
                node = before.get(tree.root)
                if tree.root not in self._known and (node is None or node.empty):
                    self.asking.created.add(tree.root)
        users = [found for found in differing if self._is_new(found) and is_users(found)]
        for found in users:
            self._take(found.path, found.now, found.data, found.sure)
        left = [found for found in differing if found not in users]
        reports = await self.asking.committed(trees) if trees and self.asking.put_back else []
        if left and trees:
            verdicts, kept = await self._verdicts(left, trees)
            reports += kept
            for found, verdict in verdicts:
                if verdict.answer is Answer.KEEP:
                    self._keep(found)
                else:
                    self._note_put_back(found, trees)
                    reports.append(self.restoring.restore(found, verdict, before or {}))
        if not users_refs:
            self._note_refs(trees, quiet)
        return reports

    def _is_new(self, found: Found) -> bool:
        """Tell whether something is there that was not there at the last comparison."""
        remembered = self.record.places.get(found.path)
        return found.mark is not None and (remembered is None or remembered.last != found.now)

    def _changed(self, quiet: bool) -> list[Found]:
        found = []
        known = {path for path in self.record.places if self._is_ours(path)}
        for path in sorted(known | self._scan.places.keys()):
            clock, mark = time.time_ns(), contents.mark(path)
            remembered = self.record.places.get(path)
            if remembered and remembered.mark == mark and mark is not None:
                continue
            now, data = contents.read(path)
            # A mark proves nothing while a command can write through a mapping of the file.
            sure = contents.settled(mark, clock) if quiet else None
            if remembered and remembered.last == now and remembered.accepts(now):
                remembered.mark = sure
            elif remembered or now != NOTHING:
                place = self._scan.places.get(path) or place_of(path)
                found.append(Found(path, place, now, data, mark, sure))
        return found

    async def _verdicts(
        self, changed: list[Found], trees: Trees
    ) -> tuple[list[tuple[Found, Verdict]], list[Report]]:
        verdicts: list[tuple[Found, Verdict]] = []
        asked: list[Found] = []
        for found in changed:
            remembered = self.record.places.get(found.path) or Remembered(accepted=[NOTHING])
            verdict = judge(
                found.place, remembered, found.now, found.data, self.record.earlier(remembered),
                self._facts(found, trees),
            )  # fmt: skip
            if verdict.answer is Answer.ASK:
                asked.append(found)
            else:
                verdicts.append((found, verdict))
        kept, reports = await self.asking.ask(asked, trees) if asked else (set(), [])
        verdicts += [
            (found, Verdict(Answer.KEEP if found in kept else Answer.PUT_BACK)) for found in asked
        ]
        return verdicts, reports

    def _facts(self, found: Found, trees: Trees) -> Facts:
        path, place = found.path, found.place
        if place is Place.CONTENT:
            return Facts(permitted=self.permits(path))
        if place in (Place.POINTER, Place.COMMON):
            return Facts(leads_inside=trees.leads_inside(path, place))
        if place is Place.MODULES:
            return Facts()
        return Facts(trees.has_repository(path), worktree=trees.has_own_worktree(path, found.data))

    def _note_put_back(self, found: Found, trees: Trees) -> None:
        """Remember it, for the case that a later command commits it."""
        tree = trees.around(found.path)
        if tree and found.place is Place.CONTENT and found.now.kind in ("file", "link"):
            wanted = self.asking.wanted(found, tree)[0]
            self.asking.put_back.setdefault(tree, set()).add(wanted)

    def _keep(self, found: Found) -> None:
        remembered = self.record.places.setdefault(found.path, Remembered(accepted=[NOTHING]))
        remembered.good = remembered.last = found.now
        remembered.mark = found.sure
        if found.now not in remembered.accepted:
            remembered.accepted = [*remembered.accepted[: _MOST_ACCEPTED - 1], found.now]
        self.record.keep(found.now, found.data)

    def _note_refs(self, trees: Trees | None, quiet: bool) -> None:
        """Note where the refs are now: commands moved them, and that is not believed."""
        trees = trees or Trees(self._scan)
        for commondir in trees.commondirs:
            repository = self.record.repositories.setdefault(commondir, Repository())
            tips = self._refs.setdefault(commondir, Refs(commondir)).tips(quiet)
            repository.commands(name for objects in tips.values() for name in objects)
        for tree in trees:
            self.asking.heads[tree.root] = head(tree.gitdir, tree.commondir)

    # -- where -----------------------------------------------------------------------

    def _is_ours(self, path: str) -> bool:
        return any(is_below(path, root) for root in self.roots)

    def _save(self) -> None:
        try:
            self.record.save()
        except OSError as failure:
            self._in_memory(failure)

    def _in_memory(self, failure: OSError) -> None:
        where = self.record.directory
        self.unrecorded = f"{where}: {failure.strerror}"
        self.record.forget_disk()


async def uncancelled(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Finish what must not be left half-done, and be cancelled then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
    return task.result()
