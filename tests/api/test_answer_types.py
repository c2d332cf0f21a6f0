"""Python types as schemas: read as JSON, checked by their own validators, exact to the digit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, field_validator
from typing_extensions import TypedDict

from a3s_cli import tool
from a3s_cli.errors import InvalidObject, UsageError

from ..support.replies import call, text
from .conftest import Library, lawful


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Order(BaseModel):
    model_config = ConfigDict(strict=True)

    id: UUID
    at: datetime
    colour: Colour
    tags: set[str]
    price: Decimal
    raw: bytes


ORDER = {
    "id": "12345678-1234-5678-1234-567812345678",
    "at": "2026-01-02T03:04:05Z",
    "colour": "red",
    "tags": ["a", "b"],
    "price": 0,
    "raw": "xyz",
}
PRICE = "12345678901234.567890123456789"
TEXT = json.dumps(ORDER).replace('"price": 0', f'"price": {PRICE}')
MADE = Order(
    id=UUID(ORDER["id"]),  # type: ignore[arg-type]
    at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    colour=Colour.RED,
    tags={"a", "b"},
    price=Decimal(PRICE),
    raw=b"xyz",
)


@dataclass
class Point:
    x: int
    y: float = 0.5


class Named(TypedDict):
    name: str


@pytest.mark.parametrize(
    ("schema", "answer", "value"),
    [
        (Order, TEXT, MADE),
        (list[Order], f"[{TEXT}]", [MADE]),
        (Point, '{"x": 1}', Point(1)),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(1, 2.0)]),
        (Named, '{"name": "n"}', {"name": "n"}),
        (TypeAdapter(dict[str, Decimal]), f'{{"a": {PRICE}}}', {"a": Decimal(PRICE)}),
        (Colour, '{"value": "blue"}', Colour.BLUE),
        (Point | None, '{"value": {"x": 3}}', Point(3)),
    ],
)
def test_a_type_as_schema(library: Library, schema: Any, answer: str, value: Any) -> None:
    session = library.session([text("ok"), text(answer)], tools=[])
    result = session.send("go", schema=schema)
    assert result.object == value
    assert type(result.object) is type(value)


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("it must be even")
        return number


def crash(value: int) -> int:
    raise RuntimeError(f"cannot judge {value}")


def test_what_a_validator_refuses_is_repaired(library: Library) -> None:
    script = [text('{"number": 3}'), text('{"number": 4}')]
    session = library.session(script, tools=[])
    stream = session.stream("go", schema=Even)
    events = lawful(stream)
    assert stream.result().object == Even(number=4)
    ended = next(event for event in events if event.type == "tool_end")
    assert json.loads(ended.tool_output) == {"object": {"number": 4}, "repairRounds": 1}
    words = library.asked(len(library.server.requests))[-1][1]
    assert "number: Value error, it must be even" in words


@pytest.mark.parametrize(
    ("schema", "said"), [(Even, "even"), (Annotated[int, AfterValidator(crash)], "cannot judge")]
)
def test_what_is_refused_for_good_is_typed(library: Library, schema: Any, said: str) -> None:
    answer = '{"number": 3}' if schema is Even else '{"value": 3}'
    session = library.session([text(answer)] * 3, tools=[])
    stream = session.stream("go", schema=schema)
    with pytest.raises(InvalidObject) as caught:
        stream.result()
    assert caught.value.code == "invalid_object"
    ended = next(event for event in caught.value.events if event.type == "tool_end")
    assert said in json.loads(ended.tool_output)["violations"][0]["message"]


@pytest.mark.parametrize("schema", [3, "x", object(), print])
def test_what_is_no_type_is_told(library: Library, schema: Any) -> None:
    with pytest.raises(UsageError, match="the schema: "):
        library.session([]).stream("go", schema=schema)


def test_arguments_are_read_as_json(library: Library) -> None:
    seen: list[Any] = []

    @tool
    def order(one: Order, many: list[Point], sum: Decimal) -> str:
        """Take an order."""
        seen.append((one, many, sum))
        return "taken"

    arguments = f'{{"one": {TEXT}, "many": [{{"x": 1}}], "sum": {PRICE}}}'
    script = [call("order", arguments, "call_1"), text("done")]
    events = lawful(library.session(script, tools=[order]).stream("go"))
    ended = next(event for event in events if event.type == "tool_end")
    assert (ended.tool_output, ended.exit_code) == ("taken", 0)
    assert seen == [(MADE, [Point(1)], Decimal(PRICE))]
