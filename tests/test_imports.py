"""What each command may load: start-up time as a law about modules, not about milliseconds."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - a black-box test starts the program
import sys
from pathlib import Path

import orjson
import pytest

from .support.a3s import Bench
from .support.replies import bash, text

#: Needed to do the work, never to say what the work would be.
HEAVY = {
    "asyncio", "httpx", "httpcore", "h11", "ssl", "pydantic", "jsonschema_rs", "tree_sitter",
    "tree_sitter_bash", "tomllib", "rich", "xllamacpp", "subprocess", "logging",
    "email", "http", "starlette", "uvicorn", "a3s_cli.runner", "a3s_cli.loop", "a3s_cli.transport",
}  # fmt: skip
#: What a run without tools has no use for.
UNUSED = {"pydantic", "jsonschema_rs", "tree_sitter", "tomllib", "xllamacpp"}


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


def test_a_run_without_tools_loads_only_what_it_needs(a3s: Bench) -> None:
    server = a3s.serve([text("hello")])
    names = loaded("run", "hi", "-m", "openai/test", environment=a3s.environment(server))
    assert "httpx" in names
    assert names & UNUSED == set()


def test_start_leaves_before_the_network_is_loaded(a3s: Bench, tmp_path: Path) -> None:
    """A broken HTTP library cannot keep the stream from being whole."""
    (tmp_path / "httpx.py").write_text("raise ImportError('broken on purpose')\n")
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
    """A guest in somebody's program touches neither signals, nor logging, nor stdout."""
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
