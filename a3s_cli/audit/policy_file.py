"""The audit's policy: a TOML file of rules, each with an id, a severity and a message.

    [[rule]]
    id = "no-network"
    message = "Nothing may be fetched."
    must_not = ["bash(curl:*)", "bash(wget:*)", "web_fetch"]

Calls are described by the rules of `--allow` and `--deny`, so that one language says
what a run may do and what it did. An unknown key is an error: a rule that is silently
not checked is worse than none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from ..config.durations import seconds
from ..errors import A3SError, UsageError
from ..permissions.rules import parse_rule
from ..registry import TOOLS
from ..values import Value, field

Severity = Literal["error", "warning", "notice"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")

#: Lists of permission rules, of path patterns, and of ends.
LISTS = ("must_not", "must_only", "must_not_write", "must_end")
#: Numbers that the run may reach but not exceed.
LIMITS = ("max_turns", "max_tool_calls", "max_tokens", "max_cost_usd", "max_duration")
KEYS = ("id", "severity", "message", *LISTS, *LIMITS)


class AuditRule(Value):
    """One rule; it checks only what is not `None` or empty."""

    id: str
    severity: Severity = "error"
    message: str = ""
    #: Permission rules for calls that must not have run.
    must_not: tuple[str, ...] = ()
    #: Permission rules for the only calls that may have run.
    must_only: tuple[str, ...] | None = None
    #: Paths that no file tool may have written.
    must_not_write: tuple[str, ...] = ()
    #: How the run may end: `end`, or codes of `error`.
    must_end: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)


def load_policy(path: str) -> tuple[AuditRule, ...]:
    """Read a policy file. Raises UsageError, which names the place and what was expected."""
    import tomllib

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"--policy {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--policy {path}: not valid TOML: {error}") from None
    try:
        return _rules(document)
    except UsageError as error:
        raise UsageError(f"--policy {path}: {error}", hint=error.hint) from None


def _rules(document: Mapping[str, Any]) -> tuple[AuditRule, ...]:
    _demand_known(document, ("rule",), "at the top")
    tables = document.get("rule")
    if not isinstance(tables, list) or not tables:
        raise UsageError("there is no [[rule]]")
    rules: list[AuditRule] = []
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise UsageError(f"rule {number} is not a table")
        rule = _rule(table, number)
        if any(rule.id == other.id for other in rules):
            raise UsageError(f"rule {number}: the id {rule.id!r} is taken")
        rules.append(rule)
    return tuple(rules)


def _rule(table: Mapping[str, Any], number: int) -> AuditRule:
    name = table.get("id")
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"rule {number} has no id: a short name, in quotes")
    where = f"rule {number} ({name})"
    _demand_known(table, KEYS, where)
    severity = table.get("severity", "error")
    if severity not in SEVERITIES:
        raise UsageError(f"{where}: severity is {severity!r}, not error, warning or notice")
    message = table.get("message", "")
    if not isinstance(message, str):
        raise UsageError(f"{where}: message is not a string")
    if not any(key in table for key in (*LISTS, *LIMITS)):
        raise UsageError(f"{where} checks nothing: add one of {', '.join(LISTS + LIMITS)}")
    must_only = _calls(table, "must_only", where) if "must_only" in table else None
    return AuditRule(
        id=name,
        severity=severity,
        message=message,
        must_not=_calls(table, "must_not", where),
        must_only=must_only,
        must_not_write=_strings(table, "must_not_write", where),
        must_end=_ends(table, where),
        limits={key: _number(table[key], key, where) for key in LIMITS if key in table},
    )


def _demand_known(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{where}: there is no key {key!r}{_nearest(key, known)}")


def _nearest(word: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else f" (known: {', '.join(known)})"


def _strings(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise UsageError(f"{where}: {key} is not a list of strings")
    # Only `must_only = []` has a meaning when empty: nothing may run.
    if key in table and not value and key != "must_only":
        raise UsageError(f"{where}: {key} is empty, so it would forbid nothing")
    return tuple(value)


def _calls(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    rules = _strings(table, key, where)
    for rule in rules:
        try:
            parse_rule(rule, TOOLS)
        except UsageError as error:
            raise UsageError(f"{where}: {key}: {error}", hint=error.hint) from None
    return rules


def _ends(table: Mapping[str, Any], where: str) -> tuple[str, ...]:
    ends = _strings(table, "must_end", where)
    known = ("end", *sorted(_codes(A3SError)))
    for end in ends:
        if end not in known:
            raise UsageError(f"{where}: must_end: no run ends in {end!r}{_nearest(end, known)}")
    return ends


def _codes(kind: type[A3SError]) -> set[str]:
    return {kind.code}.union(*(_codes(one) for one in kind.__subclasses__()))


def _number(value: Any, key: str, where: str) -> float:
    if key == "max_duration" and isinstance(value, str):
        try:
            return seconds(value)
        except ValueError as error:
            raise UsageError(f"{where}: {key}: {error}") from None
    whole = key not in ("max_duration", "max_cost_usd")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise UsageError(f"{where}: {key} is not a{' whole' if whole else ''} number")
    if not 0 <= value < float("inf"):
        raise UsageError(f"{where}: {key} must be 0 or more")
    return float(value)
