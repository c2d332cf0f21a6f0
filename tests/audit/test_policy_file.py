"""A policy says what it means, or is an error that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.audit.policy_file import AuditRule, load_policy
from a3s_cli.errors import UsageError

RULE = '[[rule]]\nid = "r"\n'


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "audit.toml"
    file.write_text(text)
    return str(file)


def test_every_key(tmp_path: Path) -> None:
    text = """
        [[rule]]
        id = "one"
        severity = "warning"
        message = "Why."
        must_not = ["bash(curl:*)", "mcp__*"]
        must_only = ["read"]
        must_not_write = [".github/**"]
        must_end = ["end", "max_turns"]
        max_turns = 1
        max_tool_calls = 2
        max_tokens = 3_000
        max_cost_usd = 0.5
        max_duration = "5m"

        [[rule]]
        id = "two"
        must_only = []
        max_duration = 1.5
    """
    assert load_policy(written(tmp_path, text)) == (
        AuditRule(
            "one",
            "warning",
            "Why.",
            must_not=("bash(curl:*)", "mcp__*"),
            must_only=("read",),
            must_not_write=(".github/**",),
            must_end=("end", "max_turns"),
            limits={
                "max_turns": 1,
                "max_tool_calls": 2,
                "max_tokens": 3000,
                "max_cost_usd": 0.5,
                "max_duration": 300,
            },
        ),
        AuditRule("two", must_only=(), limits={"max_duration": 1.5}),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is no [[rule]]"),
        ("rule = 1", "there is no [[rule]]"),
        ("rule = [1]", "rule 1 is not a table"),
        ("rules = []", "at the top: there is no key 'rules'; did you mean rule?"),
        ("[[rule]]", "rule 1 has no id: a short name, in quotes"),
        (RULE, "rule 1 (r) checks nothing: add one of must_not, must_only, "),
        (RULE + "max_turn = 1", "rule 1 (r): there is no key 'max_turn'; did you mean max_turns?"),
        (RULE + "max_turns = 1\n" + RULE + "max_turns = 1", "rule 2: the id 'r' is taken"),
        (RULE + 'max_turns = "1"', "rule 1 (r): max_turns is not a whole number"),
        (RULE + "max_turns = true", "rule 1 (r): max_turns is not a whole number"),
        (RULE + "max_turns = 1.5", "rule 1 (r): max_turns is not a whole number"),
        (RULE + "max_tokens = -1", "rule 1 (r): max_tokens must be 0 or more"),
        (RULE + "max_cost_usd = nan", "rule 1 (r): max_cost_usd must be 0 or more"),
        (RULE + 'max_duration = "5 parsecs"', "rule 1 (r): max_duration: expected a duration"),
        (RULE + 'must_not = "bash"', "rule 1 (r): must_not is not a list of strings"),
        (RULE + "must_not = []", "rule 1 (r): must_not is empty, so it would forbid nothing"),
        (RULE + 'must_not = ["bahs(x)"]', "did you mean bash?"),
        (RULE + 'must_only = ["bash("]', "rule 1 (r): must_only: the rule 'bash(' has an unb"),
        (RULE + 'must_end = ["max_turn"]', "no run ends in 'max_turn'; did you mean max_turns?"),
        (RULE + 'severity = "fatal"\nmax_turns = 1', "severity is 'fatal', not error, warning or"),
        (RULE + "message = 1\nmax_turns = 1", "rule 1 (r): message is not a string"),
        ("[[rule]\n", "not valid TOML: "),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_policy(path)
    assert str(caught.value).startswith(f"--policy {path}: ")
    assert sentence in str(caught.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml: No such file or directory"):
        load_policy(str(tmp_path / "absent.toml"))
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_policy(str(tmp_path / "latin.toml"))
