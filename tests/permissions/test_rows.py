"""More of what people type, and of what rules are attacked with: rows of our own.

`rows.jsonl` has the rules and the script of each row, and whether they let it through without
a question. All are confined, so that reading needs no rule.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.permissions.policy import Policy
from a3s_cli.tool_protocol import Subject

TOOLS = ["bash", "read", "write", "edit", "grep", "glob", "ls", "web_fetch", "generate_object"]
ROWS = [
    json.loads(line) for line in Path(__file__).with_name("rows.jsonl").read_text().splitlines()
]


def decision(allow: list[str], deny: list[str], script: str) -> str:
    policy = Policy(allow=allow, ask=[], deny=deny, tools=TOOLS, reading=True)
    return policy.decide("bash", Subject("command", script), confined=True).decision


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["script"][:40])
def test_what_is_allowed_and_what_never_is(row: dict[str, Any]) -> None:
    found = decision(row["allow"], row["deny"], row["script"])
    assert (found == "allow") is row["allowed"]


def test_a_denied_file_is_denied_to_redirections() -> None:
    for script in (
        "echo x > src/a",
        "cd src && echo x >> a",
        "cat <<E > src/a\nE",
        "ls | tee src/a",
    ):
        assert decision(["bash"], ["write(src/**)"], script) == "deny"
    assert decision(["bash"], ["write(src/**)"], "echo x > $F") == "ask"
