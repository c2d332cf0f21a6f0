"""The recorded corpus: real bytes of real vendors, read where they lie.

They are no part of the project. Where they are absent, what needs them is
skipped with a reason that says where it looked, which is no failure even in CI:
a clone has no such folder. Where the folder is there, a file that lacks is one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .decoding import WIRES

ROOT = Path(os.environ.get("A3S_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus"))


#: How the reason begins for which a test of the corpus is skipped.
ABSENT = "not in the corpus: "


def absent(name: str) -> str:
    """Say why a test that needs this file is skipped."""
    return f"{ABSENT}{ROOT / name}; set A3S_CORPUS"


def excuses(reason: str) -> bool:
    """Whether a test was skipped because there is no corpus at all."""
    return ABSENT in reason and not ROOT.exists()


@dataclass(frozen=True)
class Recording:
    """One recorded response and what the vendor's own SDK makes of it."""

    id: str
    wire: str
    expect: dict[str, Any]
    path: Path

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()


def load(name: str) -> Any:
    """Read a file of the corpus, or skip the test."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(absent(name))
    return json.loads(path.read_text())


@cache
def recordings() -> tuple[Recording, ...]:
    """Return every recording of the wires that we speak; none if there is no corpus."""
    index = ROOT / "sse" / "index.json"
    if not index.exists():
        return ()
    return tuple(
        Recording(
            entry["id"], WIRES[entry["wire_api"]], entry["expect"], ROOT / "sse" / entry["file"]
        )
        for entry in json.loads(index.read_text())["entries"]
        if entry["wire_api"] in WIRES
    )


def of_each() -> pytest.MarkDecorator:
    """Run a test for each recording, as its argument `recording`."""
    found = recordings()
    if found:
        return pytest.mark.parametrize("recording", found, ids=[one.id for one in found])
    skip = pytest.mark.skip(reason=absent("sse/index.json"))
    return pytest.mark.parametrize("recording", [pytest.param(None, marks=skip)])
