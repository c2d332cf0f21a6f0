"""A value as JSON text for pydantic, with the digits that the model wrote.

A number with a fraction is a float here, which has some 17 digits; a Decimal keeps
all. They are found again in the text that the value was read from.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import orjson

from ..jsontext import dumps

#: A number that a float may not hold.
_LONG = r"\d[\d.]{15,}"
#: How many beginnings of JSON in a text are tried.
_TRIES = 200


def exact(value: Any, text: str = "") -> Iterator[bytes]:
    """Yield a value as JSON text, the reading with the most digits of `text` first.

    In that reading a number that a float cannot hold is a string, from which a Decimal
    is made exactly; the last one is for types that take no string.
    """
    if text and re.search(_LONG, text):
        decoder = json.JSONDecoder(parse_float=Decimal)
        for beginning in list(re.finditer(r"[\[{]", text))[:_TRIES]:
            try:
                found, _ = decoder.raw_decode(text, beginning.start())
            except (ValueError, RecursionError):
                continue
            inner = found.values() if isinstance(found, dict) else ()
            same = [one for one in (found, *inner) if _rounded(one) == value]
            if same:
                yield orjson.dumps(same[0], default=_lossless)
                break
    yield dumps(value)


def validated(validate: Callable[[bytes], Any], value: Any, text: str = "") -> Any:
    """Return what `validate` makes of a value as JSON text. Raises what it raises."""
    *exactly, plain = exact(value, text)
    from pydantic import ValidationError

    for reading in exactly:
        with contextlib.suppress(ValidationError):
            return validate(reading)
    return validate(plain)


def _rounded(value: Any) -> Any:
    """Return a value with floats in place of its decimals."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _lossless(value: Any) -> Any:
    """Return a decimal as a float, or as a string where a float has fewer digits."""
    if not isinstance(value, Decimal):
        raise TypeError
    rounded = float(value)
    return rounded if Decimal(repr(rounded)) == value else str(value)
