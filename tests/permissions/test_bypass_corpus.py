"""The corpora of scripts: published attacks on rules, and what people type every day.

They are read where they lie. What a row wants is the decision; its rules are its own.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from a3s_cli.permissions.policy import Policy
from a3s_cli.tool_protocol import Subject
from tests.support.corpus import ROOT, absent

FILES = ("bypass.jsonl", "bypass2.jsonl", "everyday.jsonl")
TOOLS = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]
#: With its program allowed this is what the rule says: it looks a name up.
_ALLOWED = {"nslookup"}


def rows(*names: str) -> list[dict[str, Any]]:
    found = []
    for name in names:
        if (ROOT / name).exists():
            lines = (ROOT / name).read_text("utf-8").split("\n")
            found += [json.loads(line) for line in lines if line]
    return found


def wanted(row: dict[str, Any]) -> list[str]:
    return list(row.get("want") or row["expected_any_of"])


def verdict(row: dict[str, Any], script: str, *allow: str) -> str:
    rules = row["rules"]
    policy = Policy(
        allow=[*rules["allow"], *allow],
        ask=rules["ask"],
        deny=rules["deny"],
        default_decision=rules["default"] or "ask",
        tools=TOOLS,
        reading=rules["default"] is None,
    )
    confined = row.get("sandboxed", False)
    return policy.decide("bash", Subject("command", script), confined=confined).decision


@pytest.fixture(autouse=True)
def corpus() -> None:
    missing = [name for name in FILES if not (ROOT / name).exists()]
    if missing:
        pytest.skip(absent(missing[0]))


@pytest.mark.parametrize("row", rows(*FILES) or [{"id": "absent"}], ids=lambda row: row["id"])
def test_every_row_holds(row: dict[str, Any]) -> None:
    assert verdict(row, row["command"]) in wanted(row), row["why"]


def test_the_corpora_hold_every_kind() -> None:
    kinds = Counter(row["strength"] for row in rows("bypass.jsonl"))
    assert kinds["must"] >= 100 and kinds["should"] >= 1
    assert len(rows("bypass2.jsonl")) >= 100
    everyday = rows("everyday.jsonl")
    assert len(everyday) >= 250 and {tuple(row["want"]) for row in everyday} > {("allow",)}


def test_a_row_without_rules_holds_with_its_program_allowed_as_well() -> None:
    wrong = []
    for row in rows("bypass.jsonl"):
        if any(row["rules"][kind] for kind in ("allow", "ask", "deny")):
            continue
        program = row["command"].split()[0].partition("=")[2] or row["command"].split()[0]
        base = program.rpartition("/")[2].partition("$")[0]
        if base not in _ALLOWED and verdict(row, row["command"], f"bash({base}:*)") == "allow":
            wrong.append(row["command"])
    assert wrong == []


@pytest.mark.parametrize("wrapper", ["true; {}", "( {} )", "if true; then {}\nfi", "! {}"])
def test_joining_never_loosens_a_verdict(wrapper: str) -> None:
    strict = {"allow": 0, "ask": 1, "deny": 2}
    loosened = [
        row["id"]
        for row in rows("bypass.jsonl", "bypass2.jsonl")
        if row["command"].strip()
        and strict[verdict(row, wrapper.format(row["command"]))]
        < min(1, strict[verdict(row, row["command"])])
    ]
    assert loosened == []
