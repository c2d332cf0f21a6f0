"""Judges executed calls by the same policy that permits calls.

A `must_not` rule catches what a `--deny` rule would have denied or could not have told
apart from it; a `must_only` rule passes what `--allow` rules would have allowed without
asking. What cannot be read from the stream is never taken for harmless.
"""

from __future__ import annotations

import os
from pathlib import PurePath, PurePosixPath
from typing import NamedTuple

from ..events import Event, ToolStart
from ..permissions.policy import Policy
from ..permissions.rules import Rule, parse_rule
from ..registry import TOOLS, load
from ..tool_protocol import Subject


class ExecutedCall(NamedTuple):
    """An executed call, as its `tool_start` describes it."""

    line: int
    tool: str
    id: str
    #: What it acted on; None if the event does not hold all of it.
    subject: Subject | None
    #: The workspace.
    root: PurePath | None


def call_of(event: ToolStart, line: int, root: PurePath | None) -> ExecutedCall:
    """Return the call of a `tool_start` event."""
    return ExecutedCall(line, event.tool_name, event.tool_id, _subject(event), root)


def _subject(event: ToolStart) -> Subject | None:
    if event.tool_name not in TOOLS:
        return Subject()
    try:
        subject: Subject = load(TOOLS[event.tool_name])().subject(event.tool_input)
    except (KeyError, TypeError, AttributeError):
        return None
    # A string that is too long for its event is replaced by its digest.
    return subject if isinstance(subject.value, str) else None


def lexical(call: ExecutedCall) -> PurePath | None:
    """Return the absolute path that a call named. Symlinks are not followed."""
    if call.subject is None or call.subject.kind != "path":
        return None
    start = str(call.root) if call.root is not None else "/"
    return PurePosixPath(os.path.normpath(os.path.join(start, call.subject.value)))


class CallJudge:
    """Judges calls by the `must_not` and `must_only` of one rule."""

    def __init__(self, must_not: tuple[str, ...], must_only: tuple[str, ...] | None) -> None:
        self._forbidden = [parse_rule(rule, TOOLS) for rule in must_not]
        self._permitted = [parse_rule(rule, TOOLS) for rule in must_only or ()]
        self._must_not = Policy(allow=["*"], deny=must_not, tools=TOOLS) if must_not else None
        self._must_only = Policy(allow=must_only, tools=TOOLS) if must_only is not None else None

    def breach(self, call: ExecutedCall, path: PurePath | None) -> tuple[str, str] | None:
        """Return what is wrong with a call, without quoting it, and why; None if nothing is.

        `path` is where the call's path really led, as far as the stream says.
        """
        if call.subject is None:
            return self._unreadable(call)
        for policy, judge in ((self._must_not, _forbidden), (self._must_only, _unlisted)):
            if policy is None:
                continue
            decision = policy.decide(call.tool, call.subject, path=path, root=call.root)
            if decision.decision != "allow":
                return judge(decision.decision, decision.rule), decision.reason
        return None

    def _unreadable(self, call: ExecutedCall) -> tuple[str, str] | None:
        if any(rule.applies(call.tool) for rule in self._forbidden) or (
            self._must_only is not None and not any(_total(rule, call) for rule in self._permitted)
        ):
            return "its arguments are cut in the stream, so it cannot be judged", ""
        return None


def _total(rule: Rule, call: ExecutedCall) -> bool:
    return rule.applies(call.tool) and rule.total


def _forbidden(decision: str, rule: str) -> str:
    if decision == "deny":
        return f"{rule} must not run"
    return "it cannot be told apart from calls that must not run"


def _unlisted(decision: str, rule: str) -> str:
    return "it is not among the calls that may run"


class WriteJudge:
    """Judges written paths by the `must_not_write` of one rule."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._rules = [Rule(pattern, "*", pattern) for pattern in patterns]

    def breach(self, path: PurePath, root: PurePath | None) -> str | None:
        """Return what is wrong with a written path; None if nothing is."""
        for rule in self._rules:
            if rule.matches_path(path, root, allows=False):
                return f"{rule.text} must not be written"
        return None


def written(call: ExecutedCall, end: Event | None) -> PurePath | None:
    """Return the path that a call wrote, or may have written if it has no end."""
    writes = call.tool in TOOLS and load(TOOLS[call.tool]).writes
    if not writes or (end is not None and end.exit_code != 0):
        return None
    return PurePosixPath(end.path) if end is not None and end.path else lexical(call)
