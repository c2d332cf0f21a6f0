"""May this call happen? One pure function decides.

deny > ask > allow > default, and the most restrictive verdict over every simple
command of a script is the script's. Reading inside the workspace is allowed by
default, but for the content of files that hold secrets (`.env`, private keys):
that asks. A path outside is denied, whatever the rules say, and so is a change to
a protected place.

For bash there are two ways to be allowed. A bare `bash` rule, or a default of
allow with no pattern anywhere, covers any script: nothing is parsed. Otherwise
every command must be covered, and nothing in the script may be in doubt:

    what is found in the script              allow patterns    default    bare `bash`,
                                             alone             allow      deny patterns
    hides what runs (`$x`, eval, PATH=…)     ask               ask        ask
    an option that runs other programs       ask               ask        ask
    writes by redirection, sets variables,   ask               ask        allow
      wraps a known command, a function
    an option that writes files              ask               allow      allow

A rule that spells such an option out (`git -c core.pager=cat log:*`) covers it,
and a wrapper is covered where a rule names it and what it wraps is covered too.

`default_decision="deny"` denies all that no rule covers, reading as well.
`grant_asks` answers yes to what asks, except where a script hides what it runs
and a rule denies commands: a denial must hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError
from ..fingerprint import fingerprint
from ..values import Value
from .hints import flags, rules_for_commands, rules_for_path, rules_for_script, short
from .rules import Rule, parse_rule

if TYPE_CHECKING:
    from ..tool_protocol import Subject
    from .shell_found import Parsed

Verdict = Literal["allow", "ask", "deny"]
_VERDICTS: tuple[Verdict, ...] = ("allow", "ask", "deny")


class Decision(Value):
    """The verdict on one call, and why."""

    decision: Verdict
    #: The rule's text, `default`, `workspace`, `protected`, or `user` for a person's answer.
    rule: str
    #: One sentence for a person and the model.
    reason: str
    #: The flag that would allow it; empty where none can.
    hint: str = ""
    #: The simple commands that were found in a script.
    commands: tuple[str, ...] = ()
    #: The rules that would allow it: the hint, for a program.
    suggested: tuple[str, ...] = ()


class Policy:
    """A set of rules, ready to decide."""

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        ask: Iterable[str] = (),
        default_decision: Verdict = "ask",
        tools: Collection[str],
        grant_asks: bool = False,
    ) -> None:
        if default_decision not in _VERDICTS:
            raise UsageError(f"the default decision {default_decision!r} is not allow, ask or deny")
        self._tools = tools
        self._allow = tuple(parse_rule(rule, tools) for rule in allow)
        self._deny = tuple(parse_rule(rule, tools) for rule in deny)
        self._ask = tuple(parse_rule(rule, tools) for rule in ask)
        self._default: Verdict = default_decision
        self._grant_asks = grant_asks

    def digest(self) -> str:
        """Return the sha256 of the rules; their order and repetition do not count."""
        import json

        rules = [
            sorted({rule.text for rule in rules}) for rules in (self._allow, self._ask, self._deny)
        ]
        canonical = [*rules, self._default, sorted(self._tools), self._grant_asks]
        return fingerprint(json.dumps(canonical).encode())

    def with_allowed(self, rules: Iterable[str]) -> Policy:
        """Return a policy that allows more; it denies and asks by rules what this one does."""
        from copy import copy

        wider = copy(self)
        wider._allow = (*self._allow, *(parse_rule(rule, self._tools) for rule in rules))
        return wider

    def decide(
        self,
        tool: str,
        subject: Subject,
        *,
        harmless: bool = False,
        path: PurePath | None = None,
        inside: bool = True,
        root: PurePath | None = None,
        protected: str | None = None,
    ) -> Decision:
        """Decide on one call; `path` is the subject's, resolved; is it `inside` the workspace?

        A `harmless` tool is allowed by default, but for files of secrets.
        `protected` names the protected place that the call would change.
        """
        if not inside:
            where = f" {root}" if root is not None else ""
            return Decision("deny", "workspace", f"{subject.value} is outside the workspace{where}")
        if protected is not None:
            where = f"{tool} {short(subject.value)} is denied: {protected} is protected"
            return Decision("deny", "protected", f"{where}, whatever the rules say")
        if subject.kind == "command":
            return self._script(tool, subject.value)
        if subject.kind == "path" and path is None:
            return Decision("deny", "workspace", f"{subject.value} could not be resolved")
        return self._call(tool, subject, path, root, harmless=harmless)

    def _asks(
        self,
        rule: str,
        reason: str,
        found: tuple[str, ...] = (),
        *,
        hint: str = "",
        suggested: tuple[str, ...] = (),
    ) -> Decision:
        """Ask, or answer yes where all questions are granted."""
        if self._grant_asks:
            return Decision("allow", rule, f"{reason}; all questions are granted", "", found)
        return Decision("ask", rule, reason, hint or flags(suggested), found, suggested)

    def _by_default(
        self, what: str, suggested: tuple[str, ...], found: tuple[str, ...] = ()
    ) -> Decision:
        """Return the default verdict on a call that no rule covers."""
        if self._default == "allow":
            return Decision("allow", "default", f"{what} is allowed by default", "", found)
        if self._default == "deny":
            reason = f"no rule covers {what}, and the default is to deny"
            return Decision("deny", "default", reason, flags(suggested), found, suggested)
        reason = f"no rule covers {what}"
        return self._asks("default", reason, found, suggested=suggested)

    # -- everything but scripts ------------------------------------------------------

    def _call(
        self,
        tool: str,
        subject: Subject,
        path: PurePath | None,
        root: PurePath | None,
        *,
        harmless: bool,
    ) -> Decision:
        def first(rules: tuple[Rule, ...], *, allows: bool = False) -> Rule | None:
            for rule in rules:
                if rule.applies(tool) and _names(rule, subject, path, root, allows=allows):
                    return rule
            return None

        what = f"{tool} {short(subject.value)}".rstrip()
        if rule := first(self._deny):
            return _denied(rule, what)
        if rule := first(self._ask):
            return self._asks(rule.text, f"{what} needs approval by {rule.text}", hint=_GRANT)
        if rule := first(self._allow, allows=True):
            return Decision("allow", rule.text, f"{what} is allowed by {rule.text}")
        if self._default != "ask" or not harmless:
            return self._by_default(what, (tool,))
        if path is not None and path != root and _holds_secrets(tool, subject, path):
            reason = f"{what} needs approval: files of this name hold secrets"
            suggested = rules_for_path(tool, _relative(path, root))
            return self._asks("default", reason, suggested=suggested)
        where = " inside the workspace" if subject.kind == "path" else ""
        return Decision("allow", "default", f"{tool} is allowed{where}")

    # -- scripts ---------------------------------------------------------------------

    def _script(self, tool: str, script: str) -> Decision:
        deny, ask, allow = (
            [rule for rule in rules if rule.applies(tool)]
            for rules in (self._deny, self._ask, self._allow)
        )
        what = f"`{short(script)}`"
        if rule := _total(deny):
            return _denied(rule, what)
        guards = [rule for rule in deny + ask if not rule.total]
        if not guards:
            if rule := _total(ask):
                return self._asks(rule.text, f"{what} needs approval by {rule.text}", hint=_GRANT)
            if rule := _bare(allow):
                return Decision("allow", rule.text, f"{what} is allowed by {rule.text}")
            if not allow:
                allowed = self._default == "allow"
                return self._by_default(what, () if allowed else rules_for_script(tool, script))
        # Only a pattern needs a parser, and most runs have none.
        from .shell import commands

        return self._parsed(commands(script), what, tool, (deny, ask, allow))

    def _parsed(
        self,
        parsed: Parsed,
        what: str,
        tool: str,
        rules: tuple[list[Rule], list[Rule], list[Rule]],
    ) -> Decision:
        """Judge a script by its commands; the most restrictive verdict is the script's."""
        deny, ask, allow = rules
        found = tuple(str(command) for command in parsed.commands if command.certain)
        if caught := _caught(parsed, deny):
            return _denied(caught[1], caught[0], found)
        hidden = _hidden(parsed, deny + ask, allow)
        if hidden and deny and self._default != "deny":
            # No flag may grant this in general: it could be what a rule denies.
            return Decision("ask", "default", f"{what} needs approval: {hidden}", "", found)
        caught = _caught(parsed, ask) or next(((what, rule) for rule in ask if rule.total), None)
        if caught:
            reason = f"{caught[0]} needs approval by {caught[1].text}"
            return self._asks(caught[1].text, reason, found, hint=_GRANT)
        rule = _bare(allow)
        if rule is None:
            return self._covered(parsed, what, tool, allow, hidden)
        if hidden:
            return self._asks("default", f"{what} needs approval: {hidden}", found, hint=_GRANT)
        return Decision("allow", rule.text, f"{what} is allowed by {rule.text}", "", found)

    def _covered(
        self, parsed: Parsed, what: str, tool: str, allow: list[Rule], hidden: str
    ) -> Decision:
        """Ask of every command which pattern covers it, and of the script what is in doubt."""
        certain = [command for command in parsed.commands if command.certain]
        found = tuple(map(str, certain))
        covering = {
            command: next((rule for rule in allow if rule.covers(command)), None)
            for command in certain
        }
        uncovered = [command for command, rule in covering.items() if rule is None]
        doubts = [hidden] if hidden else [doubt.reason for doubt in parsed.doubts]
        if self._default == "allow" and not doubts:
            doubts = [f"`{short(str(each))}` wraps a command" for each in uncovered if each.wraps]
        if doubts:
            reason = f"{what} needs approval: {doubts[0]}"
            if self._default == "deny":
                return Decision("deny", "default", reason, flags((tool,)), found, (tool,))
            return self._asks("default", reason, found, suggested=(tool,))
        if uncovered and self._default != "allow":
            first = f"`{short(str(uncovered[0]))}`"
            if uncovered[0].risks:
                first += f" ({uncovered[0].risks[0].reason})"
            return self._by_default(first, rules_for_commands(tool, uncovered), found)
        rule = next(iter(covering.values()), None)
        if uncovered or rule is None:
            return self._by_default(what, (tool,), found)
        return Decision("allow", rule.text, f"{what} is allowed by {rule.text}", "", found)


_GRANT = "--allow-all"
#: The tools that show what is in the file that they are given.
_SHOW_CONTENT = frozenset(("read", "grep"))


def _holds_secrets(tool: str, subject: Subject, path: PurePath) -> bool:
    """Whether the call would show a file of secrets, by its own name or by that of a link to it."""
    if tool not in _SHOW_CONTENT:
        return False
    from ..files.ignore import is_secret

    return is_secret(path.parts) or is_secret(PurePath(subject.value).parts)


def _relative(path: PurePath, root: PurePath | None) -> str:
    """Return a path as a rule would name it."""
    inside = root is not None and path.is_relative_to(root)
    return (path.relative_to(root) if inside and root else path).as_posix()


def _denied(rule: Rule, what: str, found: tuple[str, ...] = ()) -> Decision:
    return Decision("deny", rule.text, f"{what} is denied by {rule.text}", "", found)


def _total(rules: list[Rule]) -> Rule | None:
    return next((rule for rule in rules if rule.total), None)


def _bare(rules: list[Rule]) -> Rule | None:
    return next((rule for rule in rules if rule.pattern is None), None)


def _caught(parsed: Parsed, rules: list[Rule]) -> tuple[str, Rule] | None:
    for command in parsed.commands:
        for rule in rules:
            if rule.pattern is not None and rule.catches(command):
                return f"`{short(str(command))}`", rule
    return None


def _names(
    rule: Rule, subject: Subject, path: PurePath | None, root: PurePath | None, *, allows: bool
) -> bool:
    if rule.total:
        return True
    if subject.kind == "path" and path is not None:
        return rule.matches_path(path, root, allows=allows)
    if subject.kind == "url":
        from .url_pattern import url_matches

        return url_matches(rule.pattern or "*", subject.value, strictly=allows)
    return False


def _hidden(parsed: Parsed, guards: list[Rule], allow: list[Rule]) -> str:
    """Say what could run without being seen, or nothing."""
    for doubt in parsed.doubts:
        if doubt.hidden:
            return doubt.reason
    for command in parsed.commands:
        spelled_out = any(rule.pattern is not None and rule.covers(command) for rule in allow)
        for risk in command.risks:
            if risk.runs and not spelled_out:
                return risk.reason
        named = command.certain or command.words[0].known
        for rule in guards:
            if rule.pattern is not None and named and rule.could_catch(command):
                return f"`{short(str(command))}` could become what the rule {rule.text} is for"
    return ""
