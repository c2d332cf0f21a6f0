"""The items of one file: their values, the checks of these, and what is said of a wrong one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NoReturn

from ..errors import ConfigError, UsageError
from .acl import AclCall, AclValue, Attribute, Block, Body
from .settings import LISTS, MAX_NOTICES, SYNONYMS, Check, ConfigNotice, Setting

_MAX_NAME = 64

Standing = Literal["own", "trusted", "untrusted"]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def canonical(name: str) -> str:
    """Return the canonical spelling of a key: `apiKey` and `api_key` are the same."""
    name = _HUMP.sub("_", name).lower()
    return SYNONYMS.get(name, name)


class Items:
    """Reads the items of a file with a standing, and collects the notices about it."""

    def __init__(
        self,
        path: str,
        environment: Mapping[str, str],
        standing: Standing,
        listed: Collection[str] = (),
    ) -> None:
        """`listed` are the variables that a project's servers may see."""
        self.path = path
        self.trusted = standing != "untrusted"
        self.own = standing == "own"
        self.notices: list[ConfigNotice] = []
        #: Names of the keys that a project's file may not set, in the order of the file.
        self.refused: dict[str, None] = {}
        #: Rules for tools that are not built in, and the error of each.
        self.foreign_rules: list[tuple[str, ConfigError]] = []
        self._environment = environment
        self._listed = listed
        self._unknown = 0

    def _assign(
        self,
        into: dict[str, Setting],
        item: Attribute | Block,
        name: str,
        check: Check,
        unset: dict[str, str] | None = None,
    ) -> None:
        """Check one attribute and store it, unless it has no value."""
        if isinstance(item, Block):
            self._fail(item, f"{item.name} = …", "a block")
        data = self._data(item.value, name, {} if unset is None else unset)
        if data is None:
            return
        self._store(into, name, self._checked(check, data, item.name, item.value), item)

    def _store(
        self, into: dict[str, Setting], name: str, value: Any, item: Attribute | Block
    ) -> None:
        """Store a value; the last one of a file counts."""
        if (earlier := into.get(name)) is not None:
            key = item.name[:_MAX_NAME]
            line = earlier.origin.rpartition(":")[2]
            text = f'{self._at(item)}: this "{key}" counts, not the earlier one in line {line}'
            self._notice("config_key_repeated", text, item, key=key)
        into[name] = Setting(value, self._origin(item))

    def _checked(self, check: Check, data: Any, name: str, place: AclValue) -> Any:
        try:
            return check(data)
        except UsageError as error:
            wrong = ConfigError(f"{self._at(place)}: {error}", hint=error.hint)
            if check is not LISTS["deny"] or not _is_rule(data):
                raise wrong from None
            self.foreign_rules.append((data, wrong))
            return data
        except ValueError as error:
            expected, found = (*error.args, place.kind)[:2]
            self._fail(place, f"{expected} for {name}", found)

    def _strings(self, item: Attribute | Block, name: str, check: Check) -> list[Setting]:
        """Read a list of strings, or a single one."""
        expected = f"a list of strings for {item.name}"
        if isinstance(item, Block):
            self._fail(item, expected, "a block")
        data = self._data(item.value, name, {})
        values = data if isinstance(data, list) else [item.value]
        strings: list[Setting] = []
        for value in values:
            text = self._data(value, name, {})
            if text is None:
                continue
            if not isinstance(text, str) or not text.strip():
                self._fail(value, expected, "an empty string" if text == "" else value.kind)
            checked = self._checked(check, text, item.name, value)
            strings.append(Setting(checked, f"{self.path}:{value.line}"))
        return strings

    def _data(
        self,
        value: AclValue,
        name: str,
        unset: dict[str, str],
        listed: Collection[str] | None = None,
    ) -> Any:
        """Return a value evaluated; None for `null` and for a variable that is unset or not listed.

        All variables are listed where `listed` is None.
        """
        call = value.data
        if not isinstance(call, AclCall):
            return call
        if not self.trusted:
            self.refused[name] = None
            return None
        if call.name != "env":
            text = f"{self._at(value)}: {call.name[:_MAX_NAME]}() is not evaluated; {name} is unset"
            self._notice("config_call_ignored", text, value, key=name)
            return None
        variable = call.arguments[0].data if call.arguments else None
        if not isinstance(variable, str):
            self._fail(value, 'env("NAME")', "env without a name")
        found = self._environment.get(variable)
        if listed is not None and variable not in listed:
            found = None
        if not found:
            unset[name] = variable
        return found or None

    def _body(self, item: Attribute | Block, name: str) -> tuple[Attribute | Block, ...]:
        """Return the items of `name { … }` or `name = { … }`."""
        if isinstance(item, Block):
            return item.body.items
        if not isinstance(item.value.data, Body):
            self._fail(item.value, f"{name} {{ … }}", item.value.kind)
        return item.value.data.items

    def _label(self, item: Attribute | Block, example: str) -> str:
        labels = item.labels if isinstance(item, Block) else ()
        if len(labels) != 1 or not labels[0].strip():
            self._fail(item, f"one quoted name, as in {example} … }}", f"{len(labels) or 'none'}")
        return labels[0]

    def _unknown_key(self, item: Attribute | Block, known: Iterable[str]) -> None:
        self._unknown += 1
        if self._unknown > MAX_NOTICES:
            return
        from difflib import get_close_matches

        name = item.name[:_MAX_NAME]
        nearest = get_close_matches(canonical(name), tuple(known), n=1)
        text = f'{self._at(item)}: unknown key "{name}"'
        fields = {"key": name}
        if nearest:
            text += f', did you mean "{nearest[0]}"?'
            fields["nearest"] = nearest[0]
        if self._unknown == MAX_NOTICES:
            text += "; further unknown keys of this file are not reported"
        self._notice("config_key_unknown", text, item, **fields)

    def _notice(
        self, code: str, text: str, place: AclValue | Attribute | Block, **more: str
    ) -> None:
        if len(self.notices) < 2 * MAX_NOTICES:
            fields = {"file": self.path, "line": place.line, **more}
            self.notices.append(ConfigNotice(code, text, fields))

    def _origin(self, item: Attribute | Block) -> str:
        return f"{self.path}:{item.line}"

    def _at(self, place: AclValue | Attribute | Block) -> str:
        return f"{self.path}:{place.line}:{place.column}"

    def _fail(self, place: AclValue | Attribute | Block, expected: str, found: str) -> NoReturn:
        raise ConfigError(f"{self._at(place)}: expected {expected}, found {found}")


def _is_rule(text: str) -> bool:
    """Tell whether a text is a rule, for whatever tool."""
    from ..permissions.rules import parse_rule

    tool = text.partition("(")[0].strip()
    try:
        return bool(parse_rule(text, (tool,)))
    except UsageError:
        return False
