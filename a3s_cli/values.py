"""The base classes of most classes here: declared fields, compared by value.

`Value` and `State` are dataclasses (`fields` and `asdict` of the standard library
work on them), except that their methods are written once, here, instead of being
generated and compiled for each class. A run uses about a hundred such classes, and
half a millisecond for each was a quarter of the time to its first word. For the same
reason, what a class declares is read when its first instance is made, which for many
never happens in a run, and what only the standard library needs, when it asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, dataclass_transform

__all__ = ["MISSING", "OnDemand", "State", "Value", "declared", "field", "replace"]

#: Stands for a default that there is not.
MISSING: Any = object()


class _Field:
    """What `field` says of a field."""

    def __init__(self, **said: Any) -> None:
        self.default = self.default_factory = MISSING
        self.init = self.repr = True
        self.hash: bool | None = None
        self.__dict__.update(said)
        self.said = said


def field(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] = MISSING,
    init: bool = True,
    repr: bool = True,
    hash: bool | None = None,
    kw_only: bool = False,
) -> Any:
    """Describe a field as the function of this name in `dataclasses` does."""
    told: dict[str, Any] = {"init": init, "repr": repr, "hash": hash}
    if default is not MISSING:
        told["default"] = default
    if default_factory is not MISSING:
        told["default_factory"] = default_factory
    return _Field(**told)


class OnDemand:
    """Makes a class a dataclass the first time that its fields are asked for."""

    def __get__(self, _: object, owner: type) -> Any:
        import dataclasses

        if issubclass(owner, _Fields):
            declared(owner)
        for name, one in list(owner.__dict__.items()):
            if isinstance(one, _Field):
                setattr(owner, name, dataclasses.field(**one.said))
        dataclasses.dataclass(init=False, repr=False, eq=False)(owner)
        return owner.__dict__["__dataclass_fields__"]


class _Unread:
    """Stands for what a class declares, and reads it when it is asked for."""

    def __get__(self, _: object, owner: type[_Fields]) -> tuple[str, ...]:
        owner._lay_out()
        return owner._names


class _Fields:
    """What `Value` and `State` share."""

    #: The parameters of `__init__` in order. Asked for first: the others are known then.
    _names: ClassVar[tuple[str, ...]] = ()
    _accepted: ClassVar[frozenset[str]] = frozenset()
    #: How many fields have a value in the end, but for those that `__post_init__` sets.
    _filled: ClassVar[int] = 0
    _defaults: ClassVar[dict[str, Any]] = {}
    #: (field, factory of its default)
    _made: ClassVar[tuple[tuple[str, Any], ...]] = ()
    _unshown: ClassVar[frozenset[str]] = frozenset()
    _unhashed: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls.__dataclass_fields__ = _ON_DEMAND  # type: ignore[attr-defined]
        cls._names = _UNREAD

    @classmethod
    def _lay_out(cls) -> None:
        """Read what the class declares, on top of what its base class does."""
        base = next(one for one in cls.__mro__[1:] if issubclass(one, _Fields))
        inherited = base._names
        own = [
            name for name, kind in cls.__annotations__.items() if not kind.startswith("ClassVar")
        ]
        told = {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        fields = {name: one for name, one in told.items() if isinstance(one, _Field)}
        plain = {name: one for name, one in told.items() if name not in fields}
        plain |= {name: one.default for name, one in fields.items() if one.default is not MISSING}
        made = tuple(
            (name, one.default_factory)
            for name, one in fields.items()
            if one.default_factory is not MISSING
        )
        given = [name for name in own if name not in fields or fields[name].init]
        cls._names = (*inherited, *given)
        cls._defaults = {**base._defaults, **plain}
        cls._made = (*base._made, *made)
        cls._accepted = frozenset(cls._names)
        cls._filled = len(cls._accepted | cls._defaults.keys() | dict(cls._made).keys())
        cls._unshown = base._unshown.union(name for name, one in fields.items() if not one.repr)
        cls._unhashed = base._unhashed.union(
            name for name, one in fields.items() if one.hash is False
        )

    def __init__(self, *given: Any, **named: Any) -> None:
        names, values = self._names, self.__dict__
        values.update(self._defaults)
        if given:
            values.update(zip(names, given, strict=False))
        if named:
            values.update(named)
        for name, make in self._made:
            if name not in values:
                values[name] = make()
        # As many values as there are, none of them unknown: then none is missing.
        if (
            len(values) != self._filled
            or len(given) > len(names)
            or (named and not self._accepts(names[: len(given)], named))
        ):
            raise TypeError(
                f"{type(self).__name__} takes {', '.join(names)};"
                f" got {len(given)} by place, by name {', '.join(named) or 'none'}"
            )
        self.__post_init__()

    def _accepts(self, placed: tuple[str, ...], named: dict[str, Any]) -> bool:
        return named.keys() <= self._accepted and named.keys().isdisjoint(placed)

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


_ON_DEMAND: Any = OnDemand()
_UNREAD: Any = _Unread()


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


Declared = TypeVar("Declared", bound=_Fields)


def replace(value: Declared, /, **changes: Any) -> Declared:
    """Return a copy with other values. Raises TypeError for a field that it does not have."""
    values = value.__dict__
    return type(value)(**{**{name: values[name] for name in value._names}, **changes})


def declared(cls: type[_Fields]) -> dict[str, Any]:
    """Return the fields of a class that its instances are made of, with their plain defaults."""
    return {name: cls._defaults.get(name, MISSING) for name in cls._names}
