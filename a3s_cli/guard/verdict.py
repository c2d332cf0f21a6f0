"""What a protected place may hold after a command; pure.

Each kind of place has its rule. Content may be what it was, or what a recorded
commit has; configuration of git may change but for the keys that run programs;
hooks may not change at all. What only history can decide is handed back as a question.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ..files.git_settings import Malformed
from .contents import NOTHING, OPEN, Held
from .git_config import cleaned, dangerous
from .record import Remembered
from .scan import Place


class Answer(Enum):
    """What becomes of a changed place."""

    KEEP = "keep"
    ASK = "ask"
    PUT_BACK = "put back"


class Verdict(NamedTuple):
    """The answer; and what is put back, where that is neither what was there nor nothing."""

    answer: Answer
    data: bytes | None = None
    #: The keys of a configuration that were put back.
    keys: tuple[str, ...] = ()


class Facts(NamedTuple):
    """What has to be known of a place's surroundings."""

    #: Whether its repository is still one.
    repository: bool = True
    #: Whether what it points to is a repository in the tree.
    leads_inside: bool = False
    #: Whether a `core.worktree` in it leads to a submodule's own directory.
    worktree: bool = False
    #: Whether one of the user's rules permits to write it.
    permitted: bool = False


KEEP, ASK, PUT_BACK = Verdict(Answer.KEEP), Verdict(Answer.ASK), Verdict(Answer.PUT_BACK)


def judge(
    place: Place, remembered: Remembered, now: Held, data: bytes, earlier: bytes, facts: Facts
) -> Verdict:
    """Decide on a place that has changed; `earlier` are the bytes of what it held in order."""
    if remembered.accepts(now):
        return KEEP
    if place is Place.HOOK:
        return KEEP if not facts.repository and now == NOTHING else PUT_BACK
    if place is Place.CONFIG or place is Place.MODULES:
        return _configuration(remembered, now, data, earlier, facts)
    if place is Place.TODO:
        return _todo(now, data, earlier)
    if place in (Place.POINTER, Place.COMMON):
        fits = now == NOTHING or (now.kind == "file" and facts.leads_inside)
        return KEEP if fits else PUT_BACK
    if facts.permitted:
        return KEEP
    return PUT_BACK if _is_wider(remembered, now) else ASK


def _todo(now: Held, data: bytes, earlier: bytes) -> Verdict:
    """Take out of a rebase that is not done what would run programs when it goes on."""
    if now.kind != "file":
        return KEEP if now == NOTHING else PUT_BACK
    before = set(earlier.splitlines())
    lines = data.splitlines(keepends=True)
    kept = [line for line in lines if line.rstrip(b"\r\n") in before or not _runs(line)]
    return KEEP if kept == lines else Verdict(Answer.PUT_BACK, b"".join(kept), ("exec",))


def _runs(line: bytes) -> bool:
    return line.split()[:1] in ([b"exec"], [b"x"])


def _is_wider(remembered: Remembered, now: Held) -> bool:
    """Tell whether a file is laid open that was not, whatever it holds."""
    return bool(now.kind == "file" and now.mode & ~remembered.good.mode & OPEN)


def _configuration(
    remembered: Remembered, now: Held, data: bytes, earlier: bytes, facts: Facts
) -> Verdict:
    if now == NOTHING:
        if not facts.repository:
            return KEEP
        try:
            return PUT_BACK if dangerous(earlier, worktree=facts.worktree) else KEEP
        except Malformed:
            return KEEP
    if now.kind != "file":
        return PUT_BACK
    if _is_wider(remembered, now):
        return PUT_BACK
    try:
        content, keys = cleaned(earlier, data, worktree=facts.worktree)
    except Malformed:
        return PUT_BACK
    if not keys:
        return KEEP
    # A file that had nothing else in it goes as it came.
    gone = remembered.good == NOTHING and not content.strip()
    return Verdict(Answer.PUT_BACK, None if gone else content, tuple(keys))
