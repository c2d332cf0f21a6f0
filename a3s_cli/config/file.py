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
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import acl, wire_keys
from .acl import AclCall, AclValue, Attribute, Block, Body
from .items import Items, Standing, canonical
from .settings import (
    COST_KEYS,
    EXEC,
    KEYS,
    LIMIT_KEYS,
    LISTS,
    MODALITY_KEYS,
    MODEL_KEYS,
    PERMISSION_KEYS,
    PROVIDER_KEYS,
    RULES,
    SYNONYMS,
    UNUSED,
    UNUSED_MODEL,
    UNUSED_PROVIDER,
    ModelSettings,
    ProviderSettings,
    Setting,
    price,
)

if TYPE_CHECKING:
    from .mcp_servers import McpServer

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = frozenset(("content-length", "transfer-encoding"))
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")

_PERMISSIONS = (*RULES, *PERMISSION_KEYS)
_BLOCKS = ("providers", "mcp_servers", "aliases")
_OF_MODEL = ("limit", "cost", "modalities", "headers")
_TOP = (*KEYS, *(name for name in LISTS if name not in RULES))


class ConfigFile(Items):
    """The content of one file."""

    def __init__(
        self,
        path: str,
        environment: Mapping[str, str],
        standing: Standing,
        listed: Collection[str] = (),
    ) -> None:
        super().__init__(path, environment, standing, listed)
        self.settings: dict[str, Setting] = {}
        self.lists: dict[str, list[Setting]] = {name: [] for name in LISTS}
        self.providers: dict[str, ProviderSettings] = {}
        self.mcp_servers: dict[str, McpServer] = {}
        self.aliases: dict[str, Setting] = {}
        self.unused: list[Setting] = []

    def read(self, text: str) -> None:
        """Read the text of the file. Raises ConfigError."""
        for item in acl.parse(text, self.path).items:
            name = canonical(item.name)
            if name == "permissions":
                self._permissions(item)
            elif name in KEYS:
                self._setting(item, name)
            elif name in LISTS and name not in RULES:
                self._top_list(item, name)
            elif name in _BLOCKS or name in UNUSED:
                self._foreign_or_block(item, name)
            else:
                self._unknown_key(item, (*_TOP, *SYNONYMS, *_BLOCKS, "permissions", *UNUSED))

    def read_permissions(self, text: str) -> None:
        """Read the text of a permissions file. Raises ConfigError."""
        for item in acl.parse(text, self.path).items:
            block = canonical(item.name) == "permissions"
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

    def _foreign_or_block(self, item: Attribute | Block, name: str) -> None:
        if not self.trusted or (name == "aliases" and not self.own):
            self.refused[name] = None
        elif name == "aliases":
            self._aliases(item)
        elif name == "providers":
            self._provider(item)
        elif name == "mcp_servers":
            self._mcp_server(item)
        else:
            self.unused.append(Setting(name, self._origin(item)))

    def _aliases(self, item: Attribute | Block) -> None:
        """Read the user's short names of models."""
        for inner in self._body(item, "aliases"):
            if not inner.name.isprintable() or "/" in inner.name or not inner.name.strip():
                self._fail(inner, "a short name without a slash", f'"{inner.name}"')
            self._assign(self.aliases, inner, inner.name, _model)

    def _permissions(self, item: Attribute | Block) -> None:
        for inner in self._body(item, "permissions"):
            if not self._permission(inner):
                self._unknown_key(inner, _PERMISSIONS)

    def _permission(self, item: Attribute | Block) -> bool:
        """Read a key of `permissions { … }`; return False if it is not one."""
        name = canonical(item.name)
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
            name = canonical(inner.name)
            if name == "models":
                label = self._label(inner, 'models "gpt-x" {')
                self._model(provider.model(label), self._body(inner, "models"))
            elif name == "headers":
                self._headers(provider, inner)
            elif name in PROVIDER_KEYS:
                self._assign(provider.settings, inner, name, PROVIDER_KEYS[name], provider.unset)
            elif not self._wire_key(provider, inner, name) and name not in UNUSED_PROVIDER:
                self._unknown_key(inner, (*known, *UNUSED_PROVIDER))

    def _mcp_server(self, item: Attribute | Block) -> None:
        from .mcp_servers import BLOCK_KEYS, Wrong, server_of

        label = self._label(item, 'mcp_servers "git" {')
        given: dict[str, Any] = {}
        unset: dict[str, str] = {}
        for inner in self._body(item, "mcp_servers"):
            name = canonical(inner.name)
            if name in ("env", "headers"):
                pairs = {
                    one.name: self._text(one, {} if name == "env" else unset)
                    for one in self._body(inner, name)
                }
                given[name] = {key: value for key, value in pairs.items() if value is not None}
            elif name in BLOCK_KEYS:
                given[name] = self._text(inner, unset)
            elif name == "oauth":
                text = f"{self._at(inner)}: a3s does not support OAuth; set bearer_token"
                self._notice("config_key_unknown", text, inner, key=name)
            else:
                self._unknown_key(inner, (*BLOCK_KEYS, "oauth"))
        try:
            self.mcp_servers[label] = server_of(
                label,
                self._origin(item),
                given,
                project=not self.own,
                unset=tuple(unset.values()),
            )
        except Wrong as wrong:
            self._fail(item, f"{wrong.expected} for {wrong.key}", wrong.found)

    def _text(self, item: Attribute | Block, unset: dict[str, str]) -> Any:
        """Return the value of a server's key: a string, a number, or a list of strings."""
        if isinstance(item, Block):
            self._fail(item, f"{item.name} = …", "a block")
        data = self._data(item.value, item.name, unset, None if self.own else self._listed)
        if isinstance(data, list):
            return [self._data(one, item.name, unset) for one in data]
        return data

    def _model(self, model: ModelSettings, body: Iterable[Attribute | Block]) -> None:
        for item in body:
            name = canonical(item.name)
            if name == "limit":
                self._limit(model, item)
            elif name == "cost":
                self._cost(model, item)
            elif name == "modalities":
                self._modalities(model, item)
            elif name == "headers":
                self._headers(model, item)
            elif name in MODEL_KEYS:
                self._assign(model.settings, item, name, MODEL_KEYS[name], model.unset)
            elif not self._wire_key(model, item, name) and name not in UNUSED_MODEL:
                known = (*MODEL_KEYS, *wire_keys.ALL, *_OF_MODEL, *UNUSED_MODEL)
                self._unknown_key(item, known)

    def _wire_key(self, scope: ModelSettings, item: Attribute | Block, name: str) -> bool:
        """Take in a key about the server's protocol; False if it is none."""
        if name in wire_keys.WIRE_KEYS:
            self._assign(scope.settings, item, name, wire_keys.WIRE_KEYS[name], scope.unset)
        elif name in wire_keys.WIRE_LISTS:
            entries = self._strings(item, name, wire_keys.WIRE_LISTS[name])
            self._store(scope.settings, name, [entry.value for entry in entries], item)
        elif name == wire_keys.EXTRA_BODY:
            fields = {
                inner.name: self._json(inner, scope.unset) for inner in self._body(item, name)
            }
            self._store(scope.settings, name, fields, item)
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
            name = LIMIT_KEYS.get(canonical(inner.name))
            if name is None:
                self._unknown_key(inner, LIMIT_KEYS)
            else:
                self._assign(model.settings, inner, name, MODEL_KEYS[name])

    def _cost(self, model: ModelSettings, item: Attribute | Block) -> None:
        prices: dict[str, Setting] = {}
        for inner in self._body(item, "cost"):
            name = canonical(inner.name)
            if name in COST_KEYS:
                self._assign(prices, inner, name, price)
            else:
                self._unknown_key(inner, COST_KEYS)
        values = {name: setting.value for name, setting in prices.items()}
        self._store(model.settings, "cost", values, item)

    def _modalities(self, model: ModelSettings, item: Attribute | Block) -> None:
        for inner in self._body(item, "modalities"):
            if canonical(inner.name) not in MODALITY_KEYS:
                self._unknown_key(inner, MODALITY_KEYS)
                continue
            kinds = [one.value.lower() for one in self._strings(inner, "modalities", str)]
            if canonical(inner.name) == "input":
                self._store(model.settings, "modalities", kinds, inner)

    def _headers(self, scope: ModelSettings, item: Attribute | Block) -> None:
        for inner in self._body(item, "headers"):
            if not _HEADER_NAME.fullmatch(inner.name):
                self._fail(inner, "the name of an HTTP header", "another string")
            if inner.name.lower() in _FRAMING:
                self._fail(inner, "a header other than those that frame the body", inner.name)
            # Header names ignore case; with one spelling a stronger layer replaces a weaker one.
            self._assign(scope.headers, inner, inner.name.lower(), _header, scope.unset)


def _header(data: Any) -> str:
    if not isinstance(data, str) or not _HEADER_VALUE.fullmatch(data):
        raise ValueError("a string of printable ASCII", "something else")
    return data


def _model(data: Any) -> str:
    """Check what an alias stands for."""
    provider, slash, model = data.partition("/") if isinstance(data, str) else ("", "", "")
    if data != "local" and not (provider and slash and model):
        raise ValueError('a model such as "openai/gpt-5-mini"')
    return str(data)
