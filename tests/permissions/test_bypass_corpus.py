"""The corpus of bypasses: published attacks on permission rules, read where it lies."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.permissions.policy import Policy
from a3s_cli.tool_protocol import Subject

CORPUS = Path(
    os.environ.get("A3S_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus")
)
FILE = CORPUS / "bypass.jsonl"
TOOLS = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]


def rows() -> list[dict[str, Any]]:
    if not FILE.exists():
        return []
    return [json.loads(line) for line in FILE.read_text("utf-8").split("\n") if line]


def verdict(row: dict[str, Any], script: str) -> str:
    rules = row["rules"]
    policy = Policy(
        allow=rules["allow"],
        ask=rules["ask"],
        deny=rules["deny"],
        default_decision=rules["default"],
        tools=TOOLS,
    )
    return policy.decide("bash", Subject("command", script)).decision


@pytest.fixture(autouse=True)
def corpus() -> None:
    if not FILE.exists():
        pytest.skip(f"no {FILE}; set A3S_CORPUS")


@pytest.mark.parametrize(
    "row", [row for row in rows() if row["strength"] == "must"], ids=lambda row: row["id"]
)
def test_what_must_hold_holds(row: dict[str, Any]) -> None:
    assert verdict(row, row["command"]) in row["expected_any_of"], row["why"]


def test_what_should_hold_holds() -> None:
    wrong = [
        row["id"]
        for row in rows()
        if row["strength"] == "should"
        and verdict(row, row["command"]) not in row["expected_any_of"]
    ]
    assert wrong == []


def test_the_corpus_holds_every_kind() -> None:
    kinds = Counter(row["strength"] for row in rows())
    assert kinds["must"] >= 100 and kinds["should"] >= 1


@pytest.mark.parametrize("wrapper", ["true; {}", "( {} )", "if true; then {}\nfi", "! {}"])
def test_joining_never_loosens_a_verdict(wrapper: str) -> None:
    strict = {"allow": 0, "ask": 1, "deny": 2}
    loosened = [
        row["id"]
        for row in rows()
        if row["command"].strip()
        and strict[verdict(row, wrapper.format(row["command"]))]
        < min(1, strict[verdict(row, row["command"])])
    ]
    assert loosened == []
