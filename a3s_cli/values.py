"""What most classes here are made of: fields, given once, compared by what they hold.

`Value` and `State` are dataclasses of the standard library (`replace`, `fields`
and `asdict` work on them) but for one thing: their methods are written once,
here, and not generated and compiled anew for each class. A run meets about a
hundred such classes, and half a millisecond for each was a quarter of the time
to its first word.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, field, replace
from typing import Any, ClassVar, dataclass_transform

__all__ = ["State", "Value", "field", "replace"]


class _Fields:
    """What both kinds of classes share."""

    #: What `__init__` takes, in the order of places, and what of it has no default.
    _names: ClassVar[tuple[str, ...]] = ()
    _accepted: ClassVar[frozenset[str]] = frozenset()
    _required: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}
    #: (field, what makes its default)
    _made: ClassVar[tuple[tuple[str, Any], ...]] = ()
    _shown: ClassVar[tuple[str, ...]] = ()
    _hashed: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        given = [one for one in fields if one.init]
        cls._names = tuple(one.name for one in given)
        cls._accepted = frozenset(cls._names)
        cls._defaults = {one.name: one.default for one in given if one.default is not MISSING}
        cls._required = frozenset(
            one.name for one in given if one.default is MISSING and one.default_factory is MISSING
        )
        cls._made = tuple(
            (one.name, one.default_factory) for one in fields if one.default_factory is not MISSING
        )
        cls._shown = tuple(one.name for one in fields if one.repr)
        cls._hashed = tuple(one.name for one in fields if one.hash is not False)

    def __init__(self, *given: Any, **named: Any) -> None:
        values, placed = self.__dict__, dict(zip(self._names, given, strict=False))
        values.update(self._defaults)
        values.update(placed)
        values.update(named)
        if (
            len(given) > len(self._names)
            or not placed.keys().isdisjoint(named)
            or not self._required <= values.keys() <= self._accepted
        ):
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(self._names)};"
                f" got {len(given)} by place, by name {', '.join(named) or 'none'}"
            )
        for name, make in self._made:
            if name not in values:
                values[name] = make()
        self.__post_init__()

    def __post_init__(self) -> None:
        """Work out what follows from the fields."""

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__[name] for name in self._hashed))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(_Fields):
    """Something that does not change: its fields are given when it is made."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name}")


@dataclass_transform(field_specifiers=(field,))
class State(_Fields):
    """Something that changes while it works."""

    __hash__ = None  # type: ignore[assignment]
