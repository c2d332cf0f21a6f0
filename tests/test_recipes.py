"""CONTRIBUTING.md, followed to the letter in a copy of the tree.

What a recipe names is changed and nothing else; then what it promises is tried, with
the copy's own tests and the copy's own binary.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # noqa: TID251 - the copy runs as a stranger's checkout would
import sys
from pathlib import Path

import pytest

from .support import laws
from .support.a3s import Bench
from .support.replies import a_call, calls, text

ROOT = Path(__file__).parent.parent
#: What a clone has and a recipe may need.
TREE = ("a3s_cli", "tests", "man", "completions", "pyproject.toml", "README.md", "CONTRIBUTING.md")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache")
#: Of the copy's own tests: the one that knows every page.
PAGES = "tests/manual/test_pages.py::test_what_is_committed_is_what_the_code_says"
WRITING = '''"""append: add a line to a file."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from ..tool_protocol import Subject, Tool, ToolContext, ToolReturn, resolve


class Append(Tool):
    """Add a line to a file, slowly."""

    name = "append"
    description = "Add a line to a file."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"file_path": {"type": "string"}, "line": {"type": "string"}},
        "required": ["file_path", "line"],
        "additionalProperties": False,
    }
    writes = True

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("path", arguments["file_path"])

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        path = resolve(context, arguments["file_path"])
        with open(path, "a") as file:
            file.write(f"begin {arguments['line']}\\n")
        await asyncio.sleep(0.05)
        with open(path, "a") as file:
            file.write(f"end {arguments['line']}\\n")
        return ToolReturn("added")
'''


class Copy:
    """A copy of the tree: files to change, tests and a binary to run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in TREE:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=LEFT_OUT)
            else:
                shutil.copy(ROOT / name, root / name)

    def change(self, path: str, before: str, after: str) -> None:
        """Replace the one occurrence of a text."""
        file = self.root / path
        content = file.read_text()
        assert content.count(before) == 1, (path, before)
        file.write_text(content.replace(before, after))

    def python(self, *words: str) -> str:
        """Run the copy's Python as a contributor does; return what it prints."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def check(self, *tests: str) -> None:
        """Write the pages anew, as every recipe ends, and run tests of the copy's own."""
        self.python("-m", "a3s_cli.manual")
        options = ("-q", "-p", "no:cacheprovider", "-n", "0")
        assert " passed" in self.python("-m", "pytest", *options, PAGES, *tests)

    @property
    def environment(self) -> dict[str, str | None]:
        """What makes `a3s` the copy's."""
        return {"PYTHONPATH": str(self.root)}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    root = tmp_path / "tree"
    root.mkdir()
    return Copy(root)


def recipe(title: str) -> str:
    """A section of the guide."""
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    return guide.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_add_a_tool(a3s: Bench, copy: Copy) -> None:
    """Offered, asked about, run alone, and withheld from a run that may not write."""
    assert {"a3s_cli/tools/NAME.py", "registry.TOOLS", "writes = True"} <= named("Add a tool")
    (copy.root / "a3s_cli/tools/append.py").write_text(WRITING)
    line = '    "append": "a3s_cli.tools.append:Append",\n'
    last = '    "generate_object":'
    copy.change("a3s_cli/registry.py", last, line + last)
    copy.check("tests/test_layers.py::test_no_circle_between_files")

    both = calls(
        *(a_call("append", {"file_path": "log", "line": str(n)}, f"c{n}") for n in range(3)),
        a_call("read", {"file_path": "log"}, "c9"),
    )
    env = copy.environment
    result = a3s("run", "go", "--allow", "append", script=[both, text("done")], env=env)
    assert "append" in result.one("start")["tools"]
    (asked,) = [one for one in result.requests[0].body["tools"] if "append" in str(one)]
    assert asked["function"]["description"] == "Add a line to a file."
    written = (a3s.work / "log").read_text().splitlines()
    assert written == [f"{word} {n}" for n in range(3) for word in ("begin", "end")]
    assert [one["rule"] for one in result.of("tool_start")][:3] == ["append"] * 3

    refused = a3s("run", "go", script=[calls(both.calls[0]), text("no")], env=env)
    assert refused.one("permission_denied")["toolName"] == "append"

    reading = a3s(
        "run", "go", "--read-only", "--allow", "append", script=[both, text("no")], env=env
    )
    assert "append" not in reading.one("start")["tools"]
    assert "append" not in json.dumps(reading.requests[0].body["tools"])
    assert [one["reason"] for one in reading.of("tool_rejected")] == ["unknown_tool"] * 3
    assert (a3s.work / "log").read_text().splitlines() == written

    page = (copy.root / "completions/bash/a3s").read_text()
    assert "append" in page and "append" in a3s("tools", env=env).stdout.decode()
    assert a3s("policy", "test", "append", "log", "--deny", "append", env=env).status == 5


FIELD = '    remark: Annotated[str | None, "what a tool wants to add"] = None\n'
LONG = """
import json, sys
from a3s_cli.events import Notice
from a3s_cli.secrets.redaction import Redactor
from a3s_cli.stream.emitter import Emitter
emitter, lines = Emitter(), []
emitter.redact(Redactor({"KEY": "hunter2-hunter2"}))
emitter.add_line_sink(lines.append)
emitter.emit(Notice(code="x", text="t", remark="hunter2-hunter2 " + "x" * 100_000))
emitter.emit(Notice(code="x", text="t"))
sys.stdout.buffer.write(b"".join(lines))
"""


def test_add_an_event_field(a3s: Bench, copy: Copy) -> None:
    """On the wire, in the schema and the pages, hidden, cut, and accepted by the laws."""
    assert {"events/__init__.py", "tests/support/laws.py"} <= named("Add an event, or a field")
    before = "    limit_bytes: Annotated"
    copy.change("a3s_cli/events/__init__.py", before, FIELD + before)
    flag = '{"toolId": str, "flag": str,'
    copy.change("tests/support/laws.py", flag, f'{{"remark": str, {flag[1:]}')
    copy.check("tests/stream/test_fields.py")

    first, second = map(json.loads, copy.python("-c", LONG).splitlines())
    assert "hunter2" not in first["remark"] and first["redacted"] is True
    assert "bytes left out" in first["remark"] and len(json.dumps(first)) < laws.LINE_LIMIT
    assert "remark" not in second

    env = copy.environment
    schema = json.loads(a3s("schema", env=env).stdout)
    assert schema["$defs"]["notice"]["properties"]["remark"] == {
        "type": "string",
        "description": "what a tool wants to add",
    }
    assert "remark" in (copy.root / "man/man5/a3s-events.5").read_text()
    emitted = "from tests.support import laws; print('remark' in laws.SCHEMA['notice'][1])"
    assert copy.python("-c", emitted) == "True\n"


def named(title: str) -> set[str]:
    """What a recipe puts into code spans."""
    return set(re.findall(r"`([^`\n]+)`", recipe(title)))


@pytest.mark.parametrize(
    "title",
    [
        "Add a tool", "Add a provider", "Add a front end", "Add a command", "Add an option",
        "Add an event, or a field",
    ],
)  # fmt: skip
def test_what_a_recipe_names_is_there(title: str) -> None:
    """Files, and names in files: `registry.WIRES`, `cli/options.py`, `tests/support/laws.py`."""
    files = {one for one in named(title) if re.fullmatch(r"[\w./]+\.(py|md)|[\w/]+/", one)}
    assert files
    for one in files:
        generic = one.replace("NAME", "*").replace("ROOM", "*")
        found = [*ROOT.glob(generic), *(ROOT / "a3s_cli").glob(generic)]
        assert found, one
    for one in named(title):
        if dotted := re.fullmatch(r"([a-z_.]+)\.([A-Z_]+)", one):
            module = ROOT / "a3s_cli" / (dotted[1].replace(".", "/") + ".py")
            assert re.search(rf"^{dotted[2]}\b", module.read_text(), re.M), one
