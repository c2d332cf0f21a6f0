"""Values and states behave as the standard library's dataclasses do."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.files.workspace import Workspace
from a3s_cli.model import Endpoint, HttpRequest
from a3s_cli.tool_protocol import ToolContext
from a3s_cli.values import State, Value, field, replace


class Point(Value):
    """A value with every kind of field."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list, hash=False)
    secret: str = field(default="", repr=False)


class Above(Point):
    """A value that has one field more."""

    z: int = 0


class Counter(State):
    """A state that works something out."""

    start: int
    seen: list[int] = field(default_factory=list)
    doubled: int = field(init=False)

    def __post_init__(self) -> None:
        self.doubled = 2 * self.start


class Aside:
    """A class without fields."""


class Both(Aside, Above):
    """A value with another base class before it."""

    w: int = 9


def test_a_class_is_read_when_it_is_first_used() -> None:
    """In whatever order, and below classes that have no fields."""
    assert Both(1, z=3) == Both(1, 2, [], "", 3, 9)
    assert repr(Both(1)) == "Both(x=1, y=2, tags=[], z=0, w=9)"
    assert copy.copy(Both(1)) == replace(Both(2), x=1)
    with pytest.raises(TypeError, match="Both takes x, y, tags, secret, z, w; got 0 by place"):
        replace(Both(1), v=1)


def test_fields_by_place_and_by_name() -> None:
    assert Point(1) == Point(x=1) == Point(1, 2, [], secret="")
    assert repr(Point(1, secret="s")) == "Point(x=1, y=2, tags=[])"
    assert Above(1, z=3) == Above(1, 2, [], "", 3) != Point(1)
    assert Point(1) != Point(1, 3)
    assert Point(1) != (1, 2, [], "")


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, [], "", 5), {}), ((1,), {"x": 1}), ((1,), {"w": 1}), ((), {"y": 1})],
)
def test_other_arguments_are_refused(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Point takes x, y, tags, secret; got "):
        Point(*given, **named)


def test_defaults_are_not_shared() -> None:
    one, other = Counter(1), Counter(1)
    one.seen.append(1)
    assert other.seen == []


def test_a_value_does_not_change() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is immutable: cannot set x"):
        point.x = 5  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Point is immutable: cannot delete x"):
        del point.x
    assert {Point(1, tags=["a"]): "found"}[Point(1, tags=["a"])] == "found"


def test_a_state_does() -> None:
    counter = Counter(2)
    assert counter.doubled == 4
    counter.start = 7
    assert repr(counter) == "Counter(start=7, seen=[], doubled=4)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    with pytest.raises(TypeError, match="Counter takes start, seen;"):
        Counter(1, doubled=3)  # type: ignore[call-arg]


def test_the_standard_library_s_functions() -> None:
    point = Point(1, tags=["a"], secret="s")
    assert replace(point, y=5) == Point(1, 5, ["a"], "s")
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "tags": ["a"], "secret": "s"}
    assert copy.deepcopy(point) == point
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_no_key_is_in_what_is_shown() -> None:
    """A traceback, a debugger or a log may show any of these."""
    secret = "sk-0123456789"
    shown = [
        Endpoint("openai", "m", "openai-chat", "http://x", secret, {"authorization": secret}),
        HttpRequest("http://x", {"authorization": secret}, secret.encode()),
        ToolContext(Workspace(Path("/")), print, no_wait, environment={"KEY": secret}),
    ]
    assert [secret in repr(one) for one in shown] == [False] * 3


async def no_wait() -> None:
    """Wait for nothing."""
