"""What each command may load: start-up time as a law about modules, not about milliseconds."""

from __future__ import annotations

import importlib.util
import os
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
from pathlib import Path

import orjson
import pytest

from .support.a3s import Bench
from .support.files import PNG
from .support.replies import bash, text

#: Needed to do the work, never to say what the work would be.
HEAVY = {
    "asyncio", "httpx", "httpcore", "h11", "ssl", "pydantic", "jsonschema_rs", "tree_sitter",
    "tree_sitter_bash", "tomllib", "rich", "xllamacpp", "subprocess", "logging",
    "email", "http", "starlette", "uvicorn", "a3s_cli.run.run", "a3s_cli.run.loop",
    "a3s_cli.transport",
}  # fmt: skip
#: All that comes from elsewhere on the way of a run that calls nothing.
ELSEWHERE = {"click", "orjson", "h11"}
#: What of the standard library costs most, and what of ours such a run has no use for.
UNUSED = {
    "email", "http", "urllib.request", "tomllib", "random", "unicodedata", "multiprocessing",
    "a3s_cli.objects", "a3s_cli.audit", "a3s_cli.local", "a3s_cli.manual", "a3s_cli.web",
    "a3s_cli.processes.supervisor", "a3s_cli.processes.spawner", "a3s_cli.files.walk",
    "a3s_cli.files.ignore",
    "a3s_cli.permissions.shell", "a3s_cli.tools.grep_search", "a3s_cli.sessions.past",
    "a3s_cli.output.pretty", "a3s_cli.output.markdown", "markdown_it", "pygments", "wcwidth",
    "readline", "a3s_cli.config.acl", "a3s_cli.stream.recorder",
    "a3s_cli.stream.reader",
    "a3s_cli.transport.client", "a3s_cli.transport.get", "a3s_cli.cli.audit",
    "a3s_cli.mcp", "a3s_cli.run.mcp", "a3s_cli.config.mcp_servers", "a3s_cli.config.mcp_files",
    "a3s_cli.jsonrpc", "a3s_cli.processes.piped",
}  # fmt: skip
#: What must not be in the way of the first line.
LATER = UNUSED | HEAVY | {
    "hashlib", "a3s_cli.run.response", "a3s_cli.sandbox.bwrap", "a3s_cli.prices.table",
}  # fmt: skip
#: What belongs to one feature each: a run that does not ask for it loads none of it.
FEATURES = {
    "attachments": {
        "a3s_cli.input.attachments", "a3s_cli.run.attaching", "a3s_cli.run.sight",
        "a3s_cli.providers.attached", "a3s_cli.files.media",
    },
    "an approver": {
        "a3s_cli.run.approver_program", "a3s_cli.permissions.approval",
        "a3s_cli.permissions.waiting", "shlex",
    },
    "prices": {"a3s_cli.prices.update", "a3s_cli.prices.__main__", "csv"},
    "traces": {"a3s_cli.stream.spans", "a3s_cli.commands.trace", "a3s_cli.cli.trace"},
    "skills": {"a3s_cli.run.skills", "a3s_cli.config.trusted"},
    "plug-ins": {"a3s_cli.run.plugins", "a3s_cli.api.function_tool", "importlib.metadata"},
    "a fallback": {"a3s_cli.run.fallback"},
}  # fmt: skip
#: A command that asks for each; that of prices is no command of a3s.
ASKING = {
    "attachments": "run hi -m openai/test -a {home}/dot.png",
    "an approver": "run hi -m openai/test --on-ask exec:true",
    "traces": "trace {home}/none.ndjson",
    "skills": "run hi -m openai/test",
    "plug-ins": "run hi -m openai/test --plugin none",
    "a fallback": "run hi -m openai/test --fallback-model openai/other",
}


def loaded(*command: str, environment: dict[str, str] | None = None) -> set[str]:
    """The modules that a command imports, as the interpreter itself reports them."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "a3s_cli", *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    "command", ["--version", "--help", "run --help", "models --help", "serve --help"]
)
def test_help_loads_nothing_heavy(command: str) -> None:
    names = loaded(*command.split())
    assert "click" in names
    assert names & (HEAVY | {"orjson"}) == set()


def test_a_usage_error_loads_nothing_heavy() -> None:
    assert loaded("run", "--allow", "bahs", "hello") & HEAVY == set()


def foreign(names: set[str]) -> set[str]:
    """The packages among these modules that neither Python nor we have made."""
    roots = {name.partition(".")[0] for name in names}
    return {
        root
        for root in roots - set(sys.stdlib_module_names) - {"a3s_cli", "__main__"}
        if (found := importlib.util.find_spec(root)) and "site-packages" in str(found.origin)
    } - {"_distutils_hack"}


def test_a_run_without_tools_loads_only_what_it_needs(a3s: Bench) -> None:
    server = a3s.serve([text("hello")])
    names = loaded("run", "hi", "-m", "openai/test", environment=a3s.environment(server))
    assert foreign(names) == ELSEWHERE
    assert names & UNUSED == set()
    assert [one for one, modules in FEATURES.items() if names & modules] == []


@pytest.mark.parametrize("feature", ASKING)
def test_a_feature_is_loaded_by_who_asks_for_it(a3s: Bench, feature: str) -> None:
    """Else the names above could be of modules that there are no more."""
    skill = a3s.home / ".config/a3s/skills/dot/SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: dot\ndescription: Draw a dot.\n---\n")
    (a3s.home / "dot.png").write_bytes(PNG)
    command = ASKING[feature].format(home=a3s.home).split()
    names = loaded(*command, environment=a3s.environment(a3s.serve([text("hello")])))
    assert names & FEATURES[feature]
    for module in {name for name in FEATURES[feature] if name.startswith("a3s_cli")}:
        assert importlib.util.find_spec(module), module


def test_the_first_line_waits_for_nothing_else(a3s: Bench) -> None:
    """What was loaded when `start` was written, where the sandbox has been tried before."""
    a3s("run", "hi", script=[text("remembered")])
    script = (
        "import os, sys; from a3s_cli.output.writer import Writer\n"
        "from a3s_cli.__main__ import main\n"
        "def write(writer, data): os.write(2, '\\n'.join(sys.modules).encode()); os._exit(0)\n"
        "Writer.write = write; sys.argv = ['a3s', 'run', 'hi', '-m', 'openai/x']; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=a3s.environment(a3s.serve([])),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = set(result.stderr.splitlines())
    assert foreign(names) == {"click", "orjson"}
    assert names & LATER == set()


def test_start_leaves_before_the_network_is_loaded(a3s: Bench, tmp_path: Path) -> None:
    """A broken HTTP library cannot keep the stream from being whole."""
    (tmp_path / "h11.py").write_text("raise ImportError('broken on purpose')\n")
    result = a3s("run", "hi", script=[], env={"PYTHONPATH": str(tmp_path)})
    assert [event["type"] for event in result.events] == ["start", "error"]
    assert result.last["code"] == "internal"
    assert "model" in result.events[0]


def test_a_bare_bash_rule_needs_no_parser(a3s: Bench) -> None:
    server = a3s.serve([bash("true"), text("done")])
    environment = a3s.environment(server)
    names = loaded("run", "hi", "-m", "openai/test", "--allow", "bash", environment=environment)
    assert "tree_sitter" not in names


def test_importing_the_library_changes_nothing() -> None:
    """Inside a host program, it touches neither signals, nor logging, nor stdout."""
    script = (
        "import signal, os, sys; before = signal.getsignal(signal.SIGINT), os.getcwd();"
        "import a3s_cli; print(before == (signal.getsignal(signal.SIGINT), os.getcwd()),"
        "sorted(set(sys.modules) & {'asyncio', 'httpx', 'click', 'logging'}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert result.stdout == "True []\n"


def test_the_schema_accepts_every_line(a3s: Bench) -> None:
    """`a3s schema` is made from the types that made the lines; both must agree."""
    import jsonschema_rs

    schema = orjson.loads(
        subprocess.run(
            [sys.executable, "-m", "a3s_cli", "schema"], capture_output=True, check=True
        ).stdout
    )
    validator = jsonschema_rs.Draft202012Validator(schema)
    script = [bash("echo a; exit 3"), bash("echo b"), text("done")]
    for options in (["--allow", "bash"], [], ["--max-turns", "1", "--allow", "bash"]):
        result = a3s("run", "hi", *options, script=script)
        for event in result.events:
            assert [error.message for error in validator.iter_errors(event)] == []


def test_plain_words_on_a_terminal_need_no_markdown() -> None:
    script = (
        "import sys; from a3s_cli.output.pretty import Pretty; from a3s_cli.events import TextDelta"
        "\nfrom a3s_cli.output.terminal import Style\n"
        "style = Style(colour=True, laid_out=True, moves=True)\n"
        "sink = Pretty(print, print, style)\n"
        "sink.accept([TextDelta(text='# Words, …\\n- no signs in them\\n')])\n"
        "print(sorted(set(sys.modules) & {'markdown_it', 'pygments', 'wcwidth', 'difflib'}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"
