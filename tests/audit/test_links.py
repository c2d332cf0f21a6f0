"""The audit judges where a path really led, not what it was called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.replies import call, text

POLICY = """
[[rule]]
id = "secrets"
severity = "error"
message = "No secret may be read."
must_not = ["{tool}(secret/**)"]
"""


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("read", {"file_path": "innocent/a.txt"}),
        ("grep", {"pattern": "x", "path": "innocent"}),
        ("glob", {"pattern": "*", "path": "innocent"}),
        ("ls", {"path": "innocent"}),
    ],
)
def test_a_link_into_a_forbidden_place(
    a3s: Bench, tmp_path: Path, tool: str, arguments: dict[str, str]
) -> None:
    (a3s.work / "secret").mkdir()
    (a3s.work / "secret/a.txt").write_text("x\n")
    (a3s.work / "innocent").symlink_to("secret")
    record, policy = tmp_path / "run.ndjson", tmp_path / "audit.toml"
    policy.write_text(POLICY.format(tool=tool))
    run = a3s("run", "go", "--record", str(record), script=[call(tool, arguments), text("ok")])
    ended = next(event for event in run.events if event["type"] == "tool_end")
    assert Path(ended["path"]).is_relative_to(a3s.work.resolve() / "secret")
    assert a3s("audit", str(record), "--policy", str(policy)).status == 5
    policy.write_text(POLICY.format(tool=tool).replace("secret/**", "other/**"))
    assert a3s("audit", str(record), "--policy", str(policy)).status == 0


def test_a_file_that_is_only_read_is_not_written(a3s: Bench, tmp_path: Path) -> None:
    (a3s.work / "a.txt").write_text("x\n")
    record, policy = tmp_path / "run.ndjson", tmp_path / "audit.toml"
    policy.write_text(POLICY.replace('must_not = ["{tool}(secret/**)"]', 'must_not_write = ["**"]'))
    script = [call("read", {"file_path": "a.txt"}), text("ok")]
    a3s("run", "go", "--record", str(record), script=script)
    assert a3s("audit", str(record), "--policy", str(policy)).status == 0
