"""One configuration file: from its tree to typed settings, each with its place.

A file is the user's own, a project's that the user trusts, or untrusted. From an
untrusted one, only deny and ask rules, limits and a model are passed on, for `layers`
to weigh; the names of all other keys go into `refused`. It cannot read the environment
either: `env("TOKEN")` in a rule or a model's name would carry the token into events
and requests. Only the user's own file says which projects to trust.

An unknown key is a notice, because other programs may share the file. A value of the
wrong type is an error, because it was intended and would be lost. In a permissions
file an unknown key is an error, too: it may be a deny rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NoReturn

from ..errors import ConfigError, UsageError
from . import acl, wire_keys
from .acl import AclCall, AclValue, Attribute, Block, Body
from .settings import (
    COST_KEYS,
    EXEC,
    KEYS,
    LIMIT_KEYS,
    LISTS,
    MAX_NOTICES,
    MODEL_KEYS,
    PERMISSION_KEYS,
    PROVIDER_KEYS,
    RULES,
    SYNONYMS,
    UNUSED,
    UNUSED_MODEL,
    UNUSED_PROVIDER,
    Check,
    ConfigNotice,
    ModelSettings,
    ProviderSettings,
    Setting,
    price,
)

_MAX_NAME = 64

Standing = Literal["own", "trusted", "untrusted"]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = frozenset(("content-length", "transfer-encoding"))
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")

_PERMISSIONS = (*RULES, *PERMISSION_KEYS)
_TOP = (*KEYS, *(name for name in LISTS if name not in RULES))


def _canonical(name: str) -> str:
    """Return the canonical spelling of a key: `apiKey` and `api_key` are the same."""
    name = _HUMP.sub("_", name).lower()
    return SYNONYMS.get(name, name)


class ConfigFile:
    """The content of one file."""

    def __init__(self, path: str, environment: Mapping[str, str], standing: Standing) -> None:
        self.path = path
        self.trusted = standing != "untrusted"
        self.own = standing == "own"
        self.settings: dict[str, Setting] = {}
        self.lists: dict[str, list[Setting]] = {name: [] for name in LISTS}
        self.providers: dict[str, ProviderSettings] = {}
        self.notices: list[ConfigNotice] = []
        self.unused: list[Setting] = []
        #: Names of the keys that a project's file may not set, in the order of the file.
        self.refused: dict[str, None] = {}
        #: Rules for tools that are not built in, and the error of each.
        self.foreign_rules: list[tuple[str, ConfigError]] = []
        self._environment = environment
        self._unknown = 0

    def read(self, text: str) -> None:
        """Read the text of the file. Raises ConfigError."""
        for item in acl.parse(text, self.path).items:
            name = _canonical(item.name)
            if name == "permissions":
                self._permissions(item)
            elif name in KEYS:
                self._setting(item, name)
            elif name in LISTS and name not in RULES:
                self._top_list(item, name)
            elif name == "providers" or name in UNUSED:
                self._foreign_or_provider(item, name)
            else:
                self._unknown_key(item, (*_TOP, *SYNONYMS, "providers", "permissions", *UNUSED))

    def read_permissions(self, text: str) -> None:
        """Read the text of a permissions file. Raises ConfigError."""
        for item in acl.parse(text, self.path).items:
            block = _canonical(item.name) == "permissions"
            for inner in self._body(item, "permissions") if block else (item,):
                if not self._permission(inner):
                    self._fail(inner, f"one of {', '.join(_PERMISSIONS)}", "another key")

    def _top_list(self, item: Attribute | Block, name: str) -> None:
        if not self.trusted or (name == "trust" and not self.own):
            self.refused[name] = None
        else:
            self.lists[name] += self._strings(item, name, LISTS[name])

    def _setting(self, item: Attribute | Block, name: str) -> None:
        if not self.trusted and not KEYS[name].limit and name != "default_model":
            self.refused[name] = None
            return
        self._assign(self.settings, item, name, KEYS[name].check)

    def _foreign_or_provider(self, item: Attribute | Block, name: str) -> None:
        if not self.trusted:
            self.refused[name] = None
        elif name == "providers":
            self._provider(item)
        else:
            self.unused.append(Setting(name, self._origin(item)))

    def _permissions(self, item: Attribute | Block) -> None:
        for inner in self._body(item, "permissions"):
            if not self._permission(inner):
                self._unknown_key(inner, _PERMISSIONS)

    def _permission(self, item: Attribute | Block) -> bool:
        """Read a key of `permissions { … }`; return False if it is not one."""
        name = _canonical(item.name)
        if name not in _PERMISSIONS:
            return False
        if not self.trusted and name not in ("deny", "ask"):
            self.refused[f"permissions.{name}"] = None
        elif name in RULES:
            self.lists[name] += self._strings(item, f"permissions.{name}", LISTS[name])
        else:
            self._assign(self.settings, item, name, PERMISSION_KEYS[name].check)
            if name == "on_ask" and not self.own and self._names_program():
                del self.settings[name]
                self.refused[f"permissions.{name}"] = None
        return True

    def _names_program(self) -> bool:
        given = self.settings.get("on_ask")
        return given is not None and given.value.startswith(EXEC)

    def _provider(self, item: Attribute | Block) -> None:
        label = self._label(item, 'providers "openai" {')
        if "/" in label or not label.isprintable() or any(map(str.isspace, label)):
            self._fail(item, "a provider's name without slash and space", "another name")
        provider = self.providers.setdefault(label, ProviderSettings(label))
        known = (*PROVIDER_KEYS, *wire_keys.ALL, "headers", "models")
        for inner in self._body(item, "providers"):
            name = _canonical(inner.name)
            if name == "models":
                label = self._label(inner, 'models "gpt-x" {')
                self._model(provider.model(label), self._body(inner, "models"))
            elif name == "headers":
                self._headers(provider, inner)
            elif name in PROVIDER_KEYS:
                self._assign(provider.settings, inner, name, PROVIDER_KEYS[name], provider.unset)
            elif not self._wire_key(provider, inner, name) and name not in UNUSED_PROVIDER:
                self._unknown_key(inner, (*known, *UNUSED_PROVIDER))

    def _model(self, model: ModelSettings, body: Iterable[Attribute | Block]) -> None:
        for item in body:
            name = _canonical(item.name)
            if name == "limit":
                self._limit(model, item)
            elif name == "cost":
                self._cost(model, item)
            elif name == "headers":
                self._headers(model, item)
            elif name in MODEL_KEYS:
                self._assign(model.settings, item, name, MODEL_KEYS[name], model.unset)
            elif not self._wire_key(model, item, name) and name not in UNUSED_MODEL:
                known = (*MODEL_KEYS, *wire_keys.ALL, "limit", "cost", "headers", *UNUSED_MODEL)
                self._unknown_key(item, known)

    def _wire_key(self, scope: ModelSettings, item: Attribute | Block, name: str) -> bool:
        """Take in a key about the server's protocol; False if it is none."""
        if name in wire_keys.WIRE_KEYS:
            self._assign(scope.settings, item, name, wire_keys.WIRE_KEYS[name], scope.unset)
        elif name in wire_keys.WIRE_LISTS:
            entries = self._strings(item, name, wire_keys.WIRE_LISTS[name])
            scope.settings[name] = Setting([entry.value for entry in entries], self._origin(item))
        elif name == wire_keys.EXTRA_BODY:
            fields = {
                inner.name: self._json(inner, scope.unset) for inner in self._body(item, name)
            }
            scope.settings[name] = Setting(fields, self._origin(item))
        else:
            return False
        return True

    def _json(self, item: Attribute | Block | AclValue, unset: dict[str, str]) -> Any:
        """Return what a value of `extra_body` is in JSON; names are as they are written."""
        if isinstance(item, Block):
            return {inner.name: self._json(inner, unset) for inner in item.body.items}
        value = item.value if isinstance(item, Attribute) else item
        if isinstance(value.data, Body):
            return {inner.name: self._json(inner, unset) for inner in value.data.items}
        data = self._data(value, wire_keys.EXTRA_BODY, unset)
        if isinstance(data, list):
            return [self._json(one, unset) for one in data]
        if isinstance(value.data, AclCall) and data is not None:
            return wire_keys.FromEnvironment(data)
        return data

    def _limit(self, model: ModelSettings, item: Attribute | Block) -> None:
        for inner in self._body(item, "limit"):
            name = LIMIT_KEYS.get(_canonical(inner.name))
            if name is None:
                self._unknown_key(inner, LIMIT_KEYS)
            else:
                self._assign(model.settings, inner, name, MODEL_KEYS[name])

    def _cost(self, model: ModelSettings, item: Attribute | Block) -> None:
        prices: dict[str, Setting] = {}
        for inner in self._body(item, "cost"):
            name = _canonical(inner.name)
            if name in COST_KEYS:
                self._assign(prices, inner, name, price)
            else:
                self._unknown_key(inner, COST_KEYS)
        model.settings["cost"] = Setting(
            {name: setting.value for name, setting in prices.items()}, self._origin(item)
        )

    def _headers(self, scope: ModelSettings, item: Attribute | Block) -> None:
        for inner in self._body(item, "headers"):
            if not _HEADER_NAME.fullmatch(inner.name):
                self._fail(inner, "the name of an HTTP header", "another string")
            if inner.name.lower() in _FRAMING:
                self._fail(inner, "a header that does not say where the body ends", inner.name)
            # Header names ignore case; with one spelling a stronger layer replaces a weaker one.
            self._assign(scope.headers, inner, inner.name.lower(), _header)

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
        into[name] = Setting(self._checked(check, data, item.name, item.value), self._origin(item))

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

    def _data(self, value: AclValue, name: str, unset: dict[str, str]) -> Any:
        """Return a value evaluated; None for `null` and for an unset variable."""
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
        nearest = get_close_matches(_canonical(name), tuple(known), n=1)
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


def _header(data: Any) -> str:
    if not isinstance(data, str) or not _HEADER_VALUE.fullmatch(data):
        raise ValueError("a string of printable ASCII", "something else")
    return data
