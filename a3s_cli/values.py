"""The base classes of most classes here: declared fields, compared by value.

`Value` and `State` are dataclasses (`replace`, `fields` and `asdict` of the
standard library work on them), except that their methods are written once, here,
instead of being generated and compiled for each class. A run uses about a hundred
such classes, and half a millisecond for each was a quarter of the time to its
first word. For the same reason, what only the standard library's functions need
of a class is computed when they ask.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, field, replace
from typing import Any, ClassVar, dataclass_transform

__all__ = ["OnDemand", "State", "Value", "field", "replace"]


class OnDemand:
    """Makes a class a dataclass the first time that its fields are asked for."""

    def __get__(self, _: object, owner: type) -> Any:
        dataclasses.dataclass(init=False, repr=False, eq=False)(owner)
        return owner.__dict__["__dataclass_fields__"]


class _Fields:
    """What `Value` and `State` share."""

    #: The parameters of `__init__` in order, and those without a default.
    _names: ClassVar[tuple[str, ...]] = ()
    _required: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}
    #: (field, factory of its default)
    _made: ClassVar[tuple[tuple[str, Any], ...]] = ()
    _unshown: ClassVar[frozenset[str]] = frozenset()
    _unhashed: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls.__dataclass_fields__ = OnDemand()  # type: ignore[attr-defined]
        own = [
            name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")
        ]
        told = {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        fields = {name: one for name, one in told.items() if isinstance(one, dataclasses.Field)}
        plain = {name: one for name, one in told.items() if name not in fields}
        plain |= {name: one.default for name, one in fields.items() if one.default is not MISSING}
        made = tuple(
            (name, one.default_factory)
            for name, one in fields.items()
            if one.default_factory is not MISSING
        )
        given = [name for name in own if name not in fields or fields[name].init]
        cls._names = (*cls._names, *given)
        cls._defaults = {**cls._defaults, **plain}
        cls._made = (*cls._made, *made)
        cls._required = frozenset(cls._names) - cls._defaults.keys() - dict(cls._made).keys()
        cls._unshown |= {name for name, one in fields.items() if not one.repr}
        cls._unhashed |= {name for name, one in fields.items() if one.hash is False}

    def __init__(self, *given: Any, **named: Any) -> None:
        values, placed = self.__dict__, dict(zip(self._names, given, strict=False))
        values.update(self._defaults)
        values.update(placed)
        values.update(named)
        if (
            len(given) > len(self._names)
            or not placed.keys().isdisjoint(named)
            or not self._required <= values.keys() <= set(self._names)
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
        """Compute what follows from the fields."""

    def __repr__(self) -> str:
        values = self.__dict__
        names = (*self._names, *(values.keys() - set(self._names)))
        shown = (f"{name}={values[name]!r}" for name in names if name not in self._unshown)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        values = self.__dict__
        return hash(tuple(values[name] for name in self._names if name not in self._unhashed))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(_Fields):
    """Immutable: its fields are set when it is made."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name}")


@dataclass_transform(field_specifiers=(field,))
class State(_Fields):
    """Mutable: its fields change while it works."""

    __hash__ = None  # type: ignore[assignment]
