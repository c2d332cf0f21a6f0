"""Asks the repositories of a tree which contents their recorded commits have."""

from __future__ import annotations

import os
from typing import Literal

from ..values import State, field
from .history import History, Wanted
from .plumbing import Confine, Plumbing
from .record import Record, Repository
from .refs import head
from .report import Found, Report
from .trees import Tree, Trees


class Asking(State):
    """What is asked during one run, and what has to be remembered for it."""

    record: Record
    #: Git, found outside of the tree; nothing is believed without it.
    git: str | None
    confine: Confine
    protect: Literal["all", "tracked"] = "all"
    #: Work trees that commands of this run created.
    created: set[str] = field(default_factory=set)
    #: The commit of each work tree's HEAD when it was last looked at.
    heads: dict[str, str | None] = field(default_factory=dict)
    #: What was put back in this run.
    put_back: dict[Tree, set[Wanted]] = field(default_factory=dict)

    async def ask(self, asked: list[Found], trees: Trees) -> tuple[set[Found], list[Report]]:
        """Ask the repositories which of these contents their history has."""
        kept: set[Found] = set()
        reports: list[Report] = []
        if self.git is None:
            return kept, reports
        for tree in trees:
            mine = [found for found in asked if trees.around(found.path) == tree]
            if not mine:
                continue
            git = Plumbing(self.git, tree.commondir, self.confine)
            try:
                allowed, noted = await self._ask_one(git, tree, mine)
            finally:
                await git.close()
            kept |= allowed
            reports += noted
        return kept, reports

    async def _ask_one(
        self, git: Plumbing, tree: Tree, mine: list[Found]
    ) -> tuple[set[Found], list[Report]]:
        repository = self.record.repositories.get(tree.commondir, Repository())
        history = History(git, repository.tips)
        wanted = {found: self.wanted(found, tree) for found in mine}
        had = await history.has({one for ones in wanted.values() for one in ones})
        kept = {found for found, ones in wanted.items() if had.issuperset(ones)}
        reports = []
        own = tree.root in self.created
        commit = head(tree.gitdir, tree.commondir)
        if commit and (own or self.protect == "tracked"):
            current = History(git, {commit: True})
            had = await current.has({ones[0] for ones in wanted.values()}, ancestors=False)
            for found, ones in wanted.items():
                if found not in kept and ones[0] in had:
                    kept.add(found)
                    if own:
                        reports.append(Report("kept", found.path))
        return kept, reports

    def wanted(self, found: Found, tree: Tree) -> list[Wanted]:
        path, now = tree.relative(found.path), found.now
        if now.kind == "file":
            kind = "executable" if now.mode & 0o100 else "file"
            return [Wanted(path, (kind, found.data))]
        if now.kind == "link":
            return [Wanted(path, ("link", found.data))]
        if now.kind:
            return [Wanted(path, ("file", b"\0no commit has this\0"))]
        # Nothing may be there if history has had nothing there, and has what was there.
        remembered = self.record.places[found.path].good
        kind = "executable" if remembered.mode & 0o100 else remembered.kind
        earlier = self.record.earlier(self.record.places[found.path])
        return [Wanted(path, None), Wanted(path, (kind, earlier))]

    async def committed(self, trees: Trees) -> list[Report]:
        """Name the commits of this run that contain what was put back."""
        reports = []
        for tree in trees:
            wanted, before = self.put_back.get(tree), self.heads.get(tree.root)
            now = head(tree.gitdir, tree.commondir)
            if not wanted or not now or now == before or self.git is None:
                continue
            git = Plumbing(self.git, tree.commondir, self.confine)
            try:
                had = await History(git, {now: True}).has(wanted, ancestors=False)
                if had and before:
                    had -= await History(git, {before: True}).has(had, ancestors=False)
            finally:
                await git.close()
            for one in sorted(had, key=lambda one: one.path):
                reports.append(Report("committed", os.path.join(tree.root, one.path), commit=now))
        return reports
