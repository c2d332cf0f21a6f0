"""The documents' examples, run as they are written.

A block of `console` is a terminal session: a line that begins with `$ ` is typed
into bash, with those after it that begin with `> `; what follows has to appear.
A comment before the block says which scripted model answers:

    <!-- test: script=hello -->

A block of `python` after such a comment is a program; the block of `text` behind
it is what it prints.

What no two runs have in common (times, the run's id) is compared as a
placeholder. `^C` at the start of the output is Ctrl-C: the whole foreground
group gets SIGINT as soon as the slow command runs.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import signal
import subprocess  # noqa: TID251 - the reader's repository is made with git
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import processes
from .support.a3s import Bench
from .support.replies import Reply, a_call, bash, calls, reasoning, stall, text

ROOT = Path(__file__).parent.parent
MODEL = "openai/gpt-5-mini"
BLOCK = re.compile(
    r"(?:<!-- test: script=(?P<script>\w+) -->\n)?```console\n(?P<session>.*?)^```$", re.M | re.S
)
PROGRAM = re.compile(
    r"<!-- test: script=(?P<script>\w+) -->\n"
    r"```python\n(?P<program>.*?)^```\n```text\n(?P<output>.*?)^```$",
    re.M | re.S,
)
SEPARATOR = "\x1e"


SCRIPTS: dict[str, Callable[[], list[Reply]]] = {
    "hello": lambda: [text("Hello", " there!")],
    "limit": lambda: [bash("pytest -q || true")],
    "review": lambda: [text("`greet(None)` now says `Hello, None!`: give `name` a default.")],
    "audit": lambda: [
        calls(
            a_call("read", {"file_path": "hello.py"}),
            a_call("bash", {"command": "wc -l hello.py"}),
            a_call("bash", {"command": "rm hello.py"}),
        ),
        text("hello.py has 2 lines."),
    ],
    "slow": lambda: [bash("sleep 600")],
    "readme": lambda: [text("A generator ", "yields values."), text("It yields.")],
    "batch": lambda: [text("Hello", "!"), text("Hello", "!")],
    "ship": lambda: [
        calls(a_call("write", {"file_path": "a.txt", "content": "Hello!\n"})),
        calls(a_call("write", {"file_path": "b.txt", "content": "Hello!\n"})),
        text("Done."),
        text("Done."),
    ],
    "library": lambda: [
        text("A generator ", "yields values."),
        text("It yields."),
        text("It hands you one sweet at a time."),
        stall("Chapter one"),
        calls(a_call("weather", {"city": "Nice", "days": 2})),
        text("2 sunny days."),
        text("It was Nice."),
        text('{"city": "Nice", "country": "France"}'),
    ],
    "object": lambda: [
        text('{"title":"hello', '.py","findings":["greets', ' None"],"sc', 'ore":', "7}")
    ],
    "growing": lambda: [
        text('{"title":"hello', '.py","findings":["greets', ' None"],"sc', 'ore":', "7}")
    ],
    "pretty": lambda: [
        reasoning(
            "Count first.", "I'll count the lines.", a_call("bash", {"command": "wc -l *.py"})
        ),
        calls(a_call("bash", {"command": "git commit -am counted"})),
        text("hello.py has 2 lines. I was not allowed to commit."),
    ],
}

CHANGING = [
    (re.compile(r'"ts":\d+'), '"ts":0'),
    (re.compile(r'"durationMs":\d+'), '"durationMs":0'),
    (re.compile(r'"(runId|sessionId|cwd|policySha256|toolId)":"[^"]*"'), r'"\1":""'),
    (re.compile(r"\b\d+\.\ds$", re.M), "0.0s"),
]


def documents() -> list[str]:
    """The front page, and every page that it leads to."""
    pages = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md"))
    return ["README.md", *pages]


def sessions(name: str) -> list[Any]:
    """Every terminal session of a document: its script and its lines."""
    document = (ROOT / name).read_text()
    return [
        pytest.param(
            found["script"],
            found["session"],
            id=f"{name}:{document[: found.start('session')].count(chr(10))}",
        )
        for found in BLOCK.finditer(document)
    ]


def steps(session: str) -> list[tuple[str, str]]:
    """The commands of a session with what each of them shows."""
    first, *rest = re.split(r"^\$ ", session, flags=re.M)
    assert not first and rest, f"a session begins with a command: {session}"
    found = []
    for step in rest:
        command = re.match(r"[^\n]*\n(?:> [^\n]*\n)*", step)
        assert command
        found.append((command[0].rstrip("\n").replace("\n> ", "\n"), step[command.end() :]))
    return found


def constant(output: str) -> str:
    for changing, placeholder in CHANGING:
        output = changing.sub(placeholder, output)
    return output.strip("\n")


REPORT = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "findings": {"type": "array", "items": {"type": "string"}},
        "score": {"type": "integer"},
    },
    "required": ["title", "findings", "score"],
    "additionalProperties": False,
}


def make_repository(work: Path) -> None:
    """A project with one change that is not committed, and the schema of a report."""
    (work / "report.json").write_text(json.dumps(REPORT))
    (work / "hello.py").write_text("def greet(name):\n    return 'Hello!'\n")
    for command in (
        ["init", "-q"],
        ["add", "hello.py"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *command], cwd=work, check=True, timeout=60)
    (work / "hello.py").write_text("def greet(name):\n    return f'Hello, {name}!'\n")


def press_control_c(a3s: Bench, run: Any) -> None:
    deadline = time.monotonic() + 30
    while not any("sleep 600" in found.command for found in processes.survivors(a3s.mark)):
        assert time.monotonic() < deadline and run.process.poll() is None, "nothing to interrupt"
        time.sleep(0.05)
    run.signal_group(signal.SIGINT)


@pytest.mark.parametrize(
    ("script", "session"), [one for name in documents() for one in sessions(name)]
)
def test_sessions(a3s: Bench, script: str | None, session: str) -> None:
    for program in ("jq", "git", "curl"):
        if not shutil.which(program):
            pytest.skip(f"no {program}")
    assert script, "say in a comment before the session which script answers it"
    make_repository(a3s.work)
    typed = steps(session)
    # `$?` of one command is what the next one sees, as at a prompt.
    line = "".join(
        f"{command}\nstatus=$?; printf '{SEPARATOR}'; (exit $status)\n" for command, _ in typed
    )
    run = a3s.shell(line, script=SCRIPTS[script](), env={"A3S_MODEL": MODEL})
    if interrupted := typed[-1][1].startswith("^C"):
        press_control_c(a3s, run)
    result = run.finish()
    shown = result.stdout.decode().removesuffix(SEPARATOR).split(SEPARATOR)
    assert [constant(output) for output in shown] == [
        constant(output.removeprefix("^C")) for _, output in typed
    ], result.stderr.decode()
    assert interrupted or result.stderr == b""


def programs(document: str) -> list[Any]:
    """Every program of a document: its script, its lines and what it prints."""
    return [
        pytest.param(*found.groups(), id=found["script"]) for found in PROGRAM.finditer(document)
    ]


@pytest.mark.parametrize(
    ("script", "program", "output"),
    [one for name in documents() for one in programs((ROOT / name).read_text())],
)
def test_programs_of_the_documents(a3s: Bench, script: str, program: str, output: str) -> None:
    make_repository(a3s.work)
    (a3s.work / "program.py").write_text(program)
    line = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} program.py"
    result = a3s.shell(line, script=SCRIPTS[script](), env={"A3S_MODEL": MODEL}).finish()
    assert (result.stdout.decode(), result.stderr, result.exit_status) == (output, b"", 0)
    assert len(result.requests) == len(SCRIPTS[script]())


def test_the_pages_show_the_contract() -> None:
    """Every event and every exit status that there is, and none that there is not."""
    from a3s_cli import errors
    from a3s_cli.events import Event
    from a3s_cli.manual.facts import STATUSES

    events = (ROOT / "docs/events.md").read_text()
    assert set(re.findall(r"^\| `(\w+)`", events, re.M)) == set(Event.kinds)
    statuses = (ROOT / "docs/exit-statuses.md").read_text()
    table = dict(re.findall(r"^\| ([\d, ]+) \|([^|]*)\|", statuses, re.M))
    shown = {int(number) for numbers in table for number in numbers.split(",")}
    assert shown == set(STATUSES)
    codes = {name for cell in table.values() for name in re.findall(r"`(\w+)`", cell)}

    def every(kind: type[errors.A3SError]) -> set[str]:
        return {kind.code}.union(*(every(child) for child in kind.__subclasses__()))

    assert codes == every(errors.A3SError)


def test_no_link_leads_nowhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("integrations/*.md")]
    assert len(documents) >= 5
    for document in documents:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)?(?:#([\w-]+))?\)", document.read_text()):
            target = document.parent / (link[0] or document.name)
            assert target.exists(), (document, link)
            if link[1]:
                titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
                anchors = [
                    re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
                ]
                assert link[1] in anchors, (document, link)


def test_the_front_page_is_short_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.split()) <= 1500
    assert all(f"({name})" in readme for name in documents()[1:])


def test_every_picture_is_described() -> None:
    for name in documents():
        page = (ROOT / name).read_text()
        pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", page)
        pictures += [
            (re.search(r'alt="(.*?)"', tag)[1], re.search(r'src="(.*?)"', tag)[1])  # type: ignore[index]
            for tag in re.findall(r"<img .*?>", page)
        ]
        for words, place in pictures:
            assert len(words.split()) >= 5, (name, place)
            assert ((ROOT / name).parent / place).exists(), (name, place)


def test_the_configuration_of_the_documents_loads(a3s: Bench) -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    found = re.search(r"^```hcl\n(.*?)^```$", page, re.M | re.S)
    assert found
    (a3s.work / "own.acl").write_text(found[1])
    shown = a3s("config", "--config", "own.acl", env={"WORK_KEY": "k"})
    assert (shown.exit_status, shown.stderr) == (0, b"")
    assert re.search(r"^max_turns = 20 +# .*own\.acl:2$", shown.stdout.decode(), re.M)


def test_the_tool_of_the_contributors_guide(tmp_path: Path) -> None:
    from typing import ClassVar

    from a3s_cli.files.workspace import Workspace
    from a3s_cli.tool_protocol import Subject, Tool, ToolContext, ToolReturn, resolve

    guide = (ROOT / "CONTRIBUTING.md").read_text()
    found = re.search(r"^   ```python\n(.*?)^   ```$", guide, re.M | re.S)
    assert found
    names: dict[str, Any] = {
        "Any": Any, "ClassVar": ClassVar, "Subject": Subject, "Tool": Tool,
        "ToolContext": ToolContext, "ToolReturn": ToolReturn, "resolve": resolve,
    }  # fmt: skip
    exec("from __future__ import annotations\n" + re.sub("^   ", "", found[1], flags=re.M), names)
    (tmp_path / "three").write_text("1\n2\n3\n")

    async def drain() -> None:
        return None

    context = ToolContext(workspace=Workspace(tmp_path), output=lambda text: None, drain=drain)
    tool = names["Count"]()
    assert tool.problems({"file_path": "three"}) == [] != tool.problems({})
    assert asyncio.run(tool.run({"file_path": "three"}, context)) == ToolReturn("3")
