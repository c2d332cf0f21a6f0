"""Did a call run that must not have? Answered by the policy that permits calls.

A `must_not` rule catches what a `--deny` rule would have caught, and what it
could not have told from that; a `must_only` rule passes what `--allow` rules
would have allowed without a question. What cannot be read from the stream is
never taken for harmless.
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
    """An executed call, as its `tool_start` tells it."""

    line: int
    tool: str
    id: str
    #: What it acted on; None where the event does not hold all of it.
    subject: Subject | None
    #: The workspace.
    root: PurePath | None


def call_of(event: ToolStart, line: int, root: PurePath | None) -> ExecutedCall:
    """Give the call that an event tells of."""
    return ExecutedCall(line, event.tool_name, event.tool_id, _subject(event), root)


def _subject(event: ToolStart) -> Subject | None:
    if event.tool_name not in TOOLS:
        return Subject()
    try:
        subject: Subject = load(TOOLS[event.tool_name])().subject(event.tool_input)
    except (KeyError, TypeError, AttributeError):
        return None
    # A string that was too long for its event was replaced by its digest.
    return subject if isinstance(subject.value, str) else None


def lexical(call: ExecutedCall) -> PurePath | None:
    """Give the path that a call named, made absolute; links are not ours to follow."""
    if call.subject is None or call.subject.kind != "path":
        return None
    start = str(call.root) if call.root is not None else "/"
    return PurePosixPath(os.path.normpath(os.path.join(start, call.subject.value)))


class CallJudge:
    """The `must_not` and `must_only` of one rule, ready to judge."""

    def __init__(self, must_not: tuple[str, ...], must_only: tuple[str, ...] | None) -> None:
        self._forbidden = [parse_rule(rule, TOOLS) for rule in must_not]
        self._permitted = [parse_rule(rule, TOOLS) for rule in must_only or ()]
        self._must_not = Policy(allow=["*"], deny=must_not, tools=TOOLS) if must_not else None
        self._must_only = Policy(allow=must_only, tools=TOOLS) if must_only is not None else None

    def breach(self, call: ExecutedCall, path: PurePath | None) -> tuple[str, str] | None:
        """Say what is wrong with a call: without quoting it, and why; None if nothing is.

        `path` is where a path's subject really led, as far as the stream tells.
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
            return "its arguments are not all in the stream, so they cannot be judged", ""
        return None


def _total(rule: Rule, call: ExecutedCall) -> bool:
    return rule.applies(call.tool) and rule.total


def _forbidden(decision: str, rule: str) -> str:
    if decision == "deny":
        return f"{rule} must not run"
    return "it cannot be told from what must not run"


def _unlisted(decision: str, rule: str) -> str:
    return "it is none of what may run"


class WriteJudge:
    """The `must_not_write` of one rule."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._rules = [Rule(pattern, "*", pattern) for pattern in patterns]

    def breach(self, path: PurePath, root: PurePath | None) -> str | None:
        """Say which pattern a written path falls under."""
        for rule in self._rules:
            if rule.matches_path(path, root, allows=False):
                return f"{rule.text} must not be written"
        return None


def written(call: ExecutedCall, end: Event | None) -> PurePath | None:
    """Give the path that a call has written; a call without an end may have."""
    writes = call.tool in TOOLS and load(TOOLS[call.tool]).writes
    if not writes or (end is not None and end.exit_code != 0):
        return None
    return PurePosixPath(end.path) if end is not None and end.path else lexical(call)
