"""What a type checker makes of the library: the union narrows on `type`."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 - the checker is a program
import sys
from pathlib import Path

PROGRAM = """
from a3s_cli import Agent, EventStream, PermissionPolicy, Result, SessionOptions, tool

options = SessionOptions(model="a/b", max_turns=3)
options.permission_policy = PermissionPolicy(default_decision="allow")
session = Agent.create().session(".", options)

@tool
def weather(city: str) -> str:
    return city

def plain(stream: EventStream) -> None:
    for event in stream:
        if event.type == "text_delta":
            reveal_type(event)
            reveal_type(event.text)
        elif event.type == "end":
            reveal_type(event.total_tokens)
        elif event.type == "tool_start":
            reveal_type(event.tool_input)

async def there() -> None:
    async for event in session.stream("go"):
        if event.type == "error":
            reveal_type(event.hint)
    result: Result = await session.asend("go")
    reveal_type(result.text)
    reveal_type(await session.stream("go"))
    reveal_type(event.to_json())

options.temprature = 1
SessionOptions(model=3)
"""

EXPECTED = [
    "a3s_cli.events.TextDelta",
    "str",
    "int",
    "dict[str, Any]",
    "str | None",
    "str",
    "a3s_cli.api.result.Result",
    "str",
]


def test_narrowing(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    root = Path(__file__).parents[2]
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--cache-dir",
            str(root / ".mypy_cache" / "program"),
            "program.py",
        ],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": str(root), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told = checked.stdout
    revealed = re.findall(r'Revealed type is "(.*)"', told)
    assert [one.replace("builtins.", "") for one in revealed] == EXPECTED, told
    errors = re.findall(r"error: (.*)", told)
    assert len(errors) == 2, told
    assert '"temprature"' in errors[0] and '"model"' in errors[1]
    assert (root / "a3s_cli" / "py.typed").exists()
