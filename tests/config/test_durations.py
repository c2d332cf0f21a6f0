"""Spans of time as people write them."""

from __future__ import annotations

import pytest

from a3s_cli.config.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90.0), ("5m", 300.0), ("1h", 3600.0), ("250ms", 0.25), ("90", 90.0),
        ("1.5m", 90.0), (" 2 s ", 2.0), (3, 3.0), (0.5, 0.5),
    ],
)  # fmt: skip
def test_durations(text: str | float, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "0", "0s", "-1", "1d", "1 2", "1e9", "٣s", "inf", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 250ms, 90s, 5m or 1h"):
        seconds(text)
