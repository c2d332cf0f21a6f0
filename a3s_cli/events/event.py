"""The base class of events: immutable, compared by value, one object on the wire.

Events are dataclasses whose methods are written once, here, instead of being generated
for each class: generating them for two dozen classes would cost more at start-up than
everything else before the first line, and most runs use six of them. An event is built
without `seq` and `ts`; the emitter stamps it. Equality ignores the stamp.
"""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform

from ..messages import Usage
from ..values import OnDemand, Value

#: Marks a text that a3s makes itself: an id, a code, a digest.
Own = str
#: Fields of these kinds hold nothing but a3s's own words and figures.
_OWN = (
    *(
        f"Annotated[{kind}{end},"
        for kind in ("Own", "int", "float", "bool")
        for end in ("", " | None")
    ),
    "Annotated[Literal[",
    "Annotated[StopReason,",
)


def camel(name: str) -> str:
    """Return the spelling of a field on the wire: `tool_name` becomes `toolName`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


class Denial(Value):
    """A denied call, as the terminal event lists it."""

    tool_id: str
    tool_name: str
    rule: str


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Event:
    """Base class of every event; `type` is its discriminator.

    A field that belongs to another event reads as `None`, so that a consumer may
    test `event.tool_name` on any event. A name outside the contract raises
    AttributeError.
    """

    type: str
    #: Sequence number, from 0 in each run, without gaps.
    seq: int = -1
    #: Milliseconds since the Unix epoch; never decreases within a run.
    ts: int = 0

    #: (attribute, wire name) of each field of this event, in the contract's order.
    fields: ClassVar[tuple[tuple[str, str], ...]] = ()
    required: ClassVar[frozenset[str]] = frozenset()
    accepted: ClassVar[frozenset[str]] = frozenset()
    #: Every event class by its `type`.
    kinds: ClassVar[dict[str, Any]] = {}
    contract: ClassVar[set[str]] = set()
    _foreign: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        names = [name for name in cls.__annotations__ if name != "type"]
        cls.fields = tuple((name, camel(name)) for name in names)
        cls.required = frozenset(name for name in names if name not in cls.__dict__)
        cls.accepted = frozenset((*names, "seq", "ts", "redacted"))
        cls.contract.update(names)
        cls.kinds[cls.type] = cls
        cls.__dataclass_fields__ = OnDemand()  # type: ignore[attr-defined]

    @classmethod
    def foreign(cls) -> tuple[str, ...]:
        """Return the fields with words from elsewhere: redacted, and cut where they are long."""
        if "_foreign" not in cls.__dict__:
            kinds = cls.__annotations__
            cls._foreign = tuple(name for name, _ in cls.fields if not kinds[name].startswith(_OWN))
        return cls._foreign

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
        """Set the event's place in the run. Only the emitter calls this."""
        self.__dict__["seq"] = seq
        self.__dict__["ts"] = ts

    def replace(self, **changes: Any) -> Event:
        """Return a copy with other values. Raises TypeError for a field that it does not have."""
        return type(self)(**{**self.__dict__, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return the event as the object on the wire: `type` first, camelCase keys, no nulls."""
        values = self.__dict__
        wire: dict[str, Any] = {"type": self.type, "seq": self.seq, "ts": self.ts}
        for name, key in self.fields:
            value = values.get(name, getattr(type(self), name, None))
            # JSON null is a valid object, and the only null on the wire.
            if value is not None or (name == "object" and name in values):
                wire[key] = _plain(value)
        if values.get("redacted"):
            wire["redacted"] = True
        return wire

    def to_bytes(self) -> bytes:
        """Return the event's line on stdout, newline included."""
        from ..jsontext import dumps

        return dumps(self.to_dict()) + b"\n"

    def to_json(self) -> str:
        """Return the event's line on stdout, without its newline."""
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
