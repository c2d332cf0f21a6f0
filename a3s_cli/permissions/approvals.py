"""What a person has answered "always" to, for the rest of a run.

A policy is what was decided before the run; this is what was decided during it.
It is consulted only where the policy asks, so that a denial is final, and it is
never part of the policy's digest. What "always" means depends on why was asked:

- No rule spoke of the call, and a narrow rule would cover it: that rule, the one
  of the hint (`bash(git log:*)`). It can never be a whole tool.
- A program answered: exactly the same call, with all of its arguments.
- Otherwise (a rule asks, a script hides what it runs, a file, a URL): this tool on
  exactly this script, file or URL. A rule that asks goes on asking for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..jsontext import dumps
from .policy import Decision, Policy

if TYPE_CHECKING:
    from ..tool_protocol import Subject
    from .places import Places


class Approvals:
    """A policy, and the approvals that widen it while a run goes on."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._wider = policy
        self._exact: set[tuple[str, str, str]] = set()
        self._calls: set[tuple[str, bytes]] = set()

    def decide(  # noqa: PLR0913
        self,
        tool: str,
        subject: Subject,
        *,
        harmless: bool = False,
        path: PurePath | None = None,
        inside: bool = True,
        root: PurePath | None = None,
        protected: str | None = None,
        places: Places | None = None,
        confined: bool = False,
    ) -> Decision:
        """Decide as the policy does; what it asks and a person has approved is allowed."""

        def judged(policy: Policy) -> Decision:
            return policy.decide(
                tool,
                subject,
                harmless=harmless,
                path=path,
                inside=inside,
                root=root,
                protected=protected,
                places=places,
                confined=confined,
            )

        decision = judged(self._policy)
        if decision.decision != "ask":
            return decision
        approved = _key(tool, subject, path) in self._exact
        if approved or judged(self._wider).decision == "allow":
            reason = "it was approved for the rest of this run"
            return Decision("allow", "user", reason, "", decision.commands)
        return decision

    def always(
        self, tool: str, subject: Subject, decision: Decision, path: PurePath | None = None
    ) -> None:
        """Stop asking for what `scope` says."""
        if rules := _narrow(decision):
            self._wider = self._wider.with_allowed(rules)
        self._exact.add(_key(tool, subject, path))

    def always_same(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """Stop asking for exactly this call."""
        self._calls.add((tool, dumps(arguments)))

    def same(self, tool: str, arguments: Mapping[str, Any], decision: Decision) -> Decision:
        """Return the decision; what it asks about is allowed if `always_same` said so."""
        if decision.decision != "ask" or not self._calls:
            return decision
        if (tool, dumps(arguments)) not in self._calls:
            return decision
        reason = "exactly this call was approved for the rest of this run"
        return Decision("allow", "user", reason, "", decision.commands)


def rule_of_always(decision: Decision) -> str | None:
    """Return the rules that "always" would add; None if it adds none (see `scope`)."""
    return ", ".join(_narrow(decision)) or None


def scope(tool: str, subject: Subject, decision: Decision, path: PurePath | None = None) -> str:
    """Say what "always" would approve: every call that it covers, in the words of a question."""
    if rules := _narrow(decision):
        return ", ".join(rules)
    if subject.kind == "none":
        return f"every call of {tool}"
    if subject.kind == "path":
        return f"every {tool} of {path}"
    return "exactly this script" if subject.kind == "command" else "exactly this URL"


def _narrow(decision: Decision) -> tuple[str, ...]:
    rules = decision.suggested
    return rules if all("(" in rule for rule in rules) else ()


def _key(tool: str, subject: Subject, path: PurePath | None) -> tuple[str, str, str]:
    """Name a call's subject; a file has one name, however the model spells it."""
    return tool, subject.kind, subject.value if path is None else path.as_posix()
