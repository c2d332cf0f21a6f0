"""May this call happen? One pure function decides.

deny > ask > allow > default, and the most restrictive verdict over every simple
command of a script is the script's. Reading inside the workspace is allowed by
default, but for the content of files that hold secrets (`.env`, private keys):
that asks. A path outside is denied, whatever the rules say, and so is a change to
a protected place.

For bash there are two ways to be allowed. A bare `bash` rule, or a default of
allow, covers any script: nothing is parsed where no rule denies or asks. Otherwise
every command must be covered, and nothing in the script may be in doubt:

    how far reaches what is found in the script     allow       default allow,
                                                    patterns    bare `bash`
    effect: writes by redirection, sets variables,  ask         allow
      an option that writes files
    changes: what is seen may do something else     ask         allow
      (`PATH=…`, an option that loads a file)
    program: a program that is not seen runs        ask         ask, if one is denied
    anything: a command that is not seen runs       ask         ask
      (`$x`, eval, a script that cannot be read)

A rule that spells such a word out (`git -c core.pager=cat log:*`) covers it, and a
redirection is covered where `write` may change that file. A wrapper is covered
where a rule names it, and what it wraps where a rule names that or both at once
(`uv run pytest:*`). What only joins commands (`cd` into a directory, `true`, `echo`)
needs no rule beside one that covers a command.

`default_decision="deny"` denies all that no rule covers, reading as well.
`grant_asks` answers yes to what asks, except where a script hides what it runs
and a rule denies commands: a denial must hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError
from ..fingerprint import fingerprint
from ..values import Value, replace
from .hints import flags, rules_for_path, short
from .rules import Rule, names_subject, parse_rule, total

if TYPE_CHECKING:
    from ..tool_protocol import Subject
    from .places import Place, Places
    from .scripts import ScriptRules

Verdict = Literal["allow", "ask", "deny"]
_VERDICTS: tuple[Verdict, ...] = ("allow", "ask", "deny")


class Decision(Value):
    """The verdict on one call, and why."""

    decision: Verdict
    #: The rule's text, `default`, `reading`, `workspace`, `protected`, or `user` for a person's
    #: answer.
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
        reading: bool = False,
    ) -> None:
        if default_decision not in _VERDICTS:
            raise UsageError(f"the default decision {default_decision!r} is not allow, ask or deny")
        self._tools = tools
        self._allow = tuple(parse_rule(rule, tools) for rule in allow)
        self._deny = tuple(parse_rule(rule, tools) for rule in deny)
        self._ask = tuple(parse_rule(rule, tools) for rule in ask)
        self._default: Verdict = default_decision
        self._grant_asks = grant_asks
        #: Whether commands that only read need no rule where they are confined to reading.
        self._reading = reading and default_decision == "ask"
        #: What the guard of protected places puts back; part of the digest.
        self.protect: Literal["all", "tracked"] = "all"
        #: The program that answers what asks, and what identifies the MCP servers: both as well.
        self.approver: Sequence[str] = ()
        self.servers: Sequence[object] = ()

    def digest(self) -> str:
        """Return the sha256 of the rules; their order and repetition do not count."""
        import json

        rules = [
            sorted({rule.text for rule in rules}) for rules in (self._allow, self._ask, self._deny)
        ]
        canonical: list[object] = [
            *rules,
            self._default,
            sorted(self._tools),
            self._grant_asks,
            self._reading,
        ]
        if self.protect != "all":
            canonical.append(self.protect)
        if self.approver:
            canonical.append({"approver": list(self.approver)})
        if self.servers:
            canonical.append({"mcp": list(self.servers)})
        return fingerprint(json.dumps(canonical).encode())

    def with_allowed(self, rules: Iterable[str]) -> Policy:
        """Return a policy that allows more; it denies and asks by rules what this one does."""
        from copy import copy

        wider = copy(self)
        wider._allow = (*self._allow, *(parse_rule(rule, self._tools) for rule in rules))
        return wider

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
        """Decide on one call; `path` is the subject's, resolved; is it `inside` the workspace?

        A `harmless` tool is allowed by default, but for files of secrets.
        `protected` names the protected place that the call would change. `places`
        says where the paths of a command are; without it their spelling decides.
        `confined`: a sandbox can hold a command to reading.
        """
        if not inside:
            where = f" {root}" if root is not None else ""
            return Decision("deny", "workspace", f"{subject.value} is outside the workspace{where}")
        if protected is not None and not (path and self.permits(path, root)):
            return _protected(tool, subject, protected, path, root)
        if subject.kind == "command":
            if places is None:
                from .places import Spelled

                places = Spelled(root)
            return self._script(tool, subject.value, places, confined=confined)
        if subject.kind == "path" and path is None:
            return Decision("deny", "workspace", f"{subject.value} could not be resolved")
        return self._call(tool, subject, path, root, harmless=harmless)

    def permits(self, path: PurePath, root: PurePath | None) -> bool:
        """Tell whether a rule of the user's spells out the protected place of a path."""
        from .protected_rules import permits

        return permits(self._allow, path, root)

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
                if rule.applies(tool) and names_subject(rule, subject, path, root, allows=allows):
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

    def _script(
        self, tool: str, script: str, places: Places, *, confined: bool = False
    ) -> Decision:
        deny, ask, allow = (
            [rule for rule in rules if rule.applies(tool)]
            for rules in (self._deny, self._ask, self._allow)
        )
        what = f"`{short(script)}`"
        if rule := total(deny):
            return _denied(rule, what)
        writes_denied, writes_asked = (
            [rule for rule in rules if _about_writing(rule) and not rule.applies(tool)]
            for rules in (self._deny, self._ask)
        )
        writing = writes_denied, writes_asked
        if all(rule.total for rule in deny + ask) and not any(writing):
            if rule := total(ask):
                return self._asks(rule.text, f"{what} needs approval by {rule.text}", hint=_GRANT)
            if rule := total(allow):
                return Decision("allow", rule.text, f"{what} is allowed by {rule.text}")
            if self._default == "allow":
                return self._by_default(what, ())
        # Only what asks and what has a pattern needs a parser, and many runs have neither.
        from .scripts import ScriptRules
        from .shell import commands

        parsed = commands(script)
        rules = ScriptRules(parsed, deny, ask, allow, places, self._may_write, writing)
        decision = self._parsed(rules, what, tool)
        if decision.rule != "default" or decision.decision == "allow":
            return decision
        if confined and self._reading and not rules.hidden and not total(ask):
            from .reading import why_not

            obstacle = why_not(parsed, places)
            if not obstacle.reason:
                reason = f"{what} only reads inside the workspace"
                return Decision("allow", "reading", reason, "", decision.commands)
            if obstacle.matters:
                decision = replace(decision, reason=f"{decision.reason}: {obstacle.reason}")
        if decision.suggested == (tool,) and (narrow := rules.suggested(tool, tuple(self._tools))):
            return replace(decision, hint=flags(narrow), suggested=narrow)
        return decision

    def _parsed(self, rules: ScriptRules, what: str, tool: str) -> Decision:
        """Judge a script by its commands; the most restrictive verdict is the script's."""
        found = rules.found
        if caught := rules.caught(rules.deny):
            return _denied(caught[1], caught[0], found)
        if caught := rules.caught_writing(rules.writing[0]):
            return _denied(caught[1], caught[0], found)
        hidden = rules.hidden
        if hidden and (rules.deny or rules.writing[0]) and self._default != "deny":
            # No flag may grant this in general: it could be what a rule denies.
            return Decision("ask", "default", f"{what} needs approval: {hidden}", "", found)
        caught = rules.caught(rules.ask) or rules.caught_writing(rules.writing[1])
        if caught is None and (rule := total(rules.ask)):
            caught = what, rule
        if caught:
            reason = f"{caught[0]} needs approval by {caught[1].text}"
            return self._asks(caught[1].text, reason, found, hint=_GRANT)
        if rule := total(rules.allow):
            if hidden:
                reason = f"{what} needs approval: {hidden}"
                return self._asks("default", reason, found, hint=_GRANT)
            return Decision("allow", rule.text, f"{what} is allowed by {rule.text}", "", found)
        return self._covered(rules, what, tool, hidden)

    def _covered(self, rules: ScriptRules, what: str, tool: str, hidden: str) -> Decision:
        """Ask of every command which pattern covers it, and of the script what is in doubt."""
        found = rules.found
        rule, uncovered, doubt = rules.covering
        if self._default == "allow" and (uncovered or doubt or rule is None):
            if hidden:
                return self._asks("default", f"{what} needs approval: {hidden}", found)
            return self._by_default(what, (), found)
        if doubt:
            reason = f"{what} needs approval: {doubt}"
            if self._default == "deny":
                return Decision("deny", "default", reason, flags((tool,)), found, (tool,))
            return self._asks("default", reason, found, suggested=(tool,))
        if uncovered:
            first = f"`{short(str(uncovered[0]))}`"
            if uncovered[0].risks:
                first += f" ({uncovered[0].risks[0].reason})"
            return self._by_default(first, (tool,), found)
        if rule is None:
            return self._by_default(what, (tool,), found)
        return Decision("allow", rule.text, f"{what} is allowed by {rule.text}", "", found)

    def _may_write(self, root: PurePath, place: Place) -> bool:
        """Whether a rule allows the tool `write` to change this file."""
        if not place.inside or place.protected is not None:
            return False

        def named(rules: tuple[Rule, ...], *, allows: bool = False) -> bool:
            return any(
                rule.applies("write")
                and (rule.total or rule.matches_path(place.path, root, allows=allows))
                for rule in rules
            )

        if named(self._deny) or named(self._ask):
            return False
        return named(self._allow, allows=True)


_GRANT = "--allow-all"


def _about_writing(rule: Rule) -> bool:
    return rule.applies("write") or rule.applies("edit")


#: The tools that show what is in the file that they are given.
_SHOW_CONTENT = frozenset(("read", "grep"))


def _protected(
    tool: str, subject: Subject, place: str, path: PurePath | None, root: PurePath | None
) -> Decision:
    from .protected_rules import PERMITTABLE

    where = f"{tool} {short(subject.value)} is denied: {place} is protected"
    if place not in PERMITTABLE or path is None:
        return Decision("deny", "protected", f"{where}, whatever the rules say")
    suggested = rules_for_path(tool, _relative(path, root))
    reason = f"{where}, and no rule spells it out"
    return Decision("deny", "protected", reason, flags(suggested), (), suggested)


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
