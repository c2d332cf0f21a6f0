"""What every event is: immutable, compared by what it says, and one object on the wire.

Events are dataclasses, but their methods are written once here instead of being
generated for each class: generating them for two dozen classes costs more at
start-up than everything else before the first line, and most runs meet six of
them. An event is built without `seq` and `ts`; the emitter stamps it.
"""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform

from ..messages import Usage
from ..values import OnDemand, Value


def camel(name: str) -> str:
    """Give the wire's spelling of a field: `tool_name` becomes `toolName`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


class Denial(Value):
    """A refused call, as the terminal event lists it."""

    tool_id: str
    tool_name: str
    rule: str


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Event:
    """What every event has; `type` tells which it is.

    Reading a field of another event gives `None`, so that a consumer may ask
    `event.tool_name` of anything; a name outside the contract is an
    AttributeError.
    """

    type: str
    #: From 0 in each run, dense: a gap means loss.
    seq: int = -1
    #: Unix epoch in milliseconds, never going backwards within a run.
    ts: int = 0

    #: (attribute, wire name) of this event's own fields, in the contract's order.
    fields: ClassVar[tuple[tuple[str, str], ...]] = ()
    required: ClassVar[frozenset[str]] = frozenset()
    accepted: ClassVar[frozenset[str]] = frozenset()
    #: Every class, by its `type`.
    kinds: ClassVar[dict[str, Any]] = {}
    contract: ClassVar[set[str]] = set()

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if name != "type"]
        cls.fields = tuple((name, camel(name)) for name in names)
        cls.required = frozenset(name for name in names if name not in cls.__dict__)
        cls.accepted = frozenset((*names, "seq", "ts", "redacted"))
        cls.contract.update(names)
        cls.kinds[cls.type] = cls
        cls.__dataclass_fields__ = OnDemand()  # type: ignore[attr-defined]

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
        if not self.required <= values.keys() <= self.accepted:
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(sorted(self.accepted))}; "
                f"got {', '.join(sorted(values)) or 'nothing'}"
            )

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"events are immutable: cannot set {name}")

    def __getattr__(self, name: str) -> Any:
        if name in Event.contract or name == "redacted":
            return None
        raise AttributeError(f"no event of this contract has {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._said() == other._said()

    def __hash__(self) -> int:
        return hash((self.type, repr(self._said())))

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self._said().items())
        return f"{type(self).__name__}({said})"

    def _said(self) -> dict[str, Any]:
        said = {name: getattr(self, name) for name, _ in self.fields}
        return {name: value for name, value in said.items() if value is not None}

    def stamp(self, seq: int, ts: int) -> None:
        """Give the event its place in the run; the emitter alone calls this."""
        self.__dict__["seq"] = seq
        self.__dict__["ts"] = ts

    def replace(self, **changes: Any) -> Event:
        """Give the same event with other values."""
        return type(self)(**{**self.__dict__, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Give the event as the wire's object: `type` first, camelCase keys, no nulls."""
        values = self.__dict__
        wire: dict[str, Any] = {"type": self.type, "seq": self.seq, "ts": self.ts}
        for name, key in self.fields:
            value = values.get(name, getattr(type(self), name, None))
            # JSON null is a valid object, and the only null that the wire knows.
            if value is not None or (name == "object" and name in values):
                wire[key] = _plain(value)
        if values.get("redacted"):
            wire["redacted"] = True
        return wire

    def to_bytes(self) -> bytes:
        """Give the line that stdout carries, with its newline."""
        from ..jsontext import dumps

        return dumps(self.to_dict()) + b"\n"

    def to_json(self) -> str:
        """Give the line that stdout carries, without its newline."""
        return self.to_bytes().decode()[:-1]


def _plain(value: Any) -> Any:
    if isinstance(value, Usage):
        return {
            "inputTokens": value.input_tokens,
            "outputTokens": value.output_tokens,
            "cacheReadTokens": value.cache_read_tokens,
            "cacheWriteTokens": value.cache_write_tokens,
            "reasoningTokens": value.reasoning_tokens,
        }
    if isinstance(value, tuple) and value and isinstance(value[0], Denial):
        return [
            {"toolId": one.tool_id, "toolName": one.tool_name, "rule": one.rule} for one in value
        ]
    return value
