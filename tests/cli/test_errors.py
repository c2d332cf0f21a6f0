"""The command line: what is wrong is told in one sentence, with the line that would be right."""

from __future__ import annotations

import json

import pytest

from ..support.a3s import Bench
from ..support.replies import text
from ..support.run import Result

USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "a prompt for a command": (("what is this?",), "a3s run 'what is this?'"),
    "a mistyped command": (("rnu", "hi"), "a3s run"),
    "a mistyped option": (("run", "--max-turn", "3", "hi"), "--max-turns"),
    "an option of others": (("run", "-o", "text", "hi"), "-o raw"),
    "a mistyped output": (("run", "-o", "jsn", "hi"), "-o json"),
    "a mistyped tool": (("run", "--tools", "bahs", "hi"), "bash"),
    "a mistyped rule": (("run", "--allow", "bahs(ls)", "hi"), "bash"),
    "a broken rule": (("run", "--allow", "bash(ls", "hi"), "bash(ls"),
    "an empty rule": (("run", "--allow", "", "hi"), "tool(pattern)"),
    "no duration": (("run", "--timeout", "5x", "hi"), "90s"),
    "a negative duration": (("run", "--timeout", "-5", "hi"), "--timeout"),
    "no duration at all": (("run", "--idle-timeout", "0", "hi"), "--idle-timeout"),
    "no number": (("run", "--max-turns", "many", "hi"), "--max-turns"),
    "no turns": (("run", "--max-turns", "0", "hi"), "--max-turns"),
    "a word too many": (("run", "two", "words"), "quote it"),
    "a wrong choice": (("run", "--on-ask", "die", "hi"), "deny"),
    "no directory": (("run", "-C", "nowhere", "hi"), "nowhere"),
    "an option without its value": (("run", "hi", "-m"), "-m"),
}
#: The whole sentence: right, or without a suggestion.
SENTENCES: dict[str, tuple[tuple[str, ...], str]] = {
    "words without quotes": (
        ("run", "fix", "the", "bug", "--allow", "bash"),
        "one prompt at a time: quote it, as in  a3s run 'fix the bug' --allow bash",
    ),
    "a prompt that begins with a dash": (
        ("run", "-v is what?"),
        "a prompt that begins with - comes after --:  a3s run -- '-v is what?'",
    ),
    "an option of another tool": (
        ("run", "--image", "x.png", "y"),
        "there is no option --image; did you mean:  a3s run --attach x.png y",
    ),
    "its own word for it": (
        ("run", "--yolo", "hi"),
        "there is no option --yolo; did you mean:  a3s run --allow-all hi",
    ),
    "an option like no other": (
        ("run", "--teleport", "hi"), "there is no option --teleport; see:  a3s run --help",
    ),
    "a short one": (("run", "-x"), "there is no option -x; see:  a3s run --help"),
    "a choice": (
        ("run", "-o", "jsno", "hi"),
        "--output must be pretty, raw or json, not 'jsno'; did you mean:  a3s run -o json hi",
    ),
    "a number": (
        ("run", "--max-turns", "x", "hi"),
        "--max-turns must be a whole number of at least 1, not 'x'",
    ),
    "a number too low": (
        ("run", "--max-turns", "0", "hi"),
        "--max-turns must be a whole number of at least 1, not '0'",
    ),
    "a number out of its range": (
        ("serve", "--port", "70000"),
        "--port must be a whole number from 0 to 65535, not '70000'",
    ),
    "a number that has to be more": (
        ("batch", "items", "--rpm", "0"), "--rpm must be a number above 0, not '0.0'",
    ),
    "no value": (("run", "--max-turns"), "--max-turns needs an argument"),
    "a command of a command": (
        ("sessions", "shwo", "x"),
        "there is no command 'shwo' of a3s sessions; did you mean:  a3s sessions show x",
    ),
    "a missing argument": (("sessions", "rm"), "ID... is missing:  a3s sessions rm ID..."),
    "one of two arguments": (
        ("config", "set", "max_turns"), "VALUE is missing:  a3s config set KEY VALUE",
    ),
    "no command": (("policy",), "a3s policy needs a command: test; see:  a3s policy --help"),
    "one provider at a time": (
        ("models", "openai", "x"), "'x' is one argument too many; see:  a3s models --help",
    ),
    "an argument too many": (
        ("tools", "foo"), "'foo' is one argument too many; see:  a3s tools --help",
    ),
    "a prompt for a3s": (
        ("fix", "the", "bug", "--allow", "bash"),
        "there is no command 'fix'; to run a prompt:  a3s run 'fix the bug' --allow bash",
    ),
    "an option in the wrong place": (
        ("--model", "x", "hi"), "--model belongs to a command; did you mean:  a3s run --model x hi",
    ),
}  # fmt: skip


def _refused(result: Result) -> str:
    assert (result.status, result.stdout) == (2, b""), result
    told = result.stderr.decode()
    assert told.strip() and "Traceback" not in told
    return told


@pytest.mark.parametrize("name", USAGE)
def test_a_usage_error(a3s: Bench, name: str) -> None:
    args, expected = USAGE[name]
    assert expected in _refused(a3s(*args, laws="none"))


@pytest.mark.parametrize("name", SENTENCES)
def test_the_sentence_of_a_usage_error(a3s: Bench, name: str) -> None:
    args, sentence = SENTENCES[name]
    assert _refused(a3s(*args, laws="none")) == f"a3s: {sentence}\n"


def test_help_as_a_command(a3s: Bench) -> None:
    for args in ((), ("run",), ("sessions", "list")):
        assert a3s("help", *args).stdout == a3s(*args, "--help", laws="none").stdout
    assert b"there is no command 'rnu'; did you mean:" in _refused(a3s("help", "rnu")).encode()


def test_no_command_at_all(a3s: Bench) -> None:
    result = a3s()
    assert result.status in (0, 2) and b"a3s run" in result.stdout + result.stderr


def test_a_mistyped_model_is_a_whole_stream(a3s: Bench) -> None:
    result = a3s("run", "-m", "opnai/test-model", "hi")
    assert (result.types, result.last["code"]) == (["start", "error"], "config")
    assert "openai" in result.last["error"] + result.last["hint"]


@pytest.mark.parametrize("model", ["openai", "openai/", "/x", ""])
def test_a_model_without_its_half(a3s: Bench, model: str) -> None:
    result = a3s("run", "-m", model, "hi", laws="none")
    assert result.status in (2, 78) and not result.requests


def test_a_model_s_name_may_have_slashes(a3s: Bench) -> None:
    result = a3s("run", "-m", "openai/meta/llama:3", "hi", script=[text("yo")])
    assert result.requests[0].body["model"] == "meta/llama:3"
    assert result.events[0]["model"] == "openai/meta/llama:3"


NOTHING = {"OPENAI_API_KEY": None, "OPENAI_BASE_URL": None, "ANTHROPIC_API_KEY": None}


def test_no_model_names_the_ways_out(a3s: Bench) -> None:
    result = a3s("run", "hi", env={**NOTHING, "ANTHROPIC_BASE_URL": None})
    assert (result.types, result.status) == (["start", "error"], 78)
    assert "model" not in result.events[0]
    hint = result.last["hint"]
    assert "OPENAI_API_KEY" in hint or "A3S_MODEL" in hint
    assert "a3s models pull" in hint and "-m" in hint


def test_the_environment_names_the_model(a3s: Bench) -> None:
    result = a3s("run", "-m", "openai/flag", "hi", script=[text("yo")], env={"A3S_MODEL": "x/y"})
    assert result.events[0]["model"] == "openai/flag"
    server = a3s.serve([text("yo")])
    env = {"A3S_MODEL": "openai/named", "OPENAI_BASE_URL": server.url + "/v1"}
    assert a3s("run", "hi", env=env).events[0]["model"] == "openai/named"


BROKEN = {
    "unclosed": ('default_model = "openai/x"\nproviders "openai" {\n', "2:20"),
    "a string": ('default_model = "openai/x\n', ":1:"),
    "no value": ("\n\ndefault_model =\n", ":4:1:"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_config_is_a_whole_stream(a3s: Bench, name: str) -> None:
    written, place = BROKEN[name]
    (a3s.work / "a.acl").write_text(written)
    result = a3s("run", "--config", "a.acl", "hi")
    assert (result.types, result.status) == (["start", "error"], 78)
    assert "model" not in result.events[0]
    assert "a.acl" in result.last["error"] and place in result.last["error"]


def test_an_unknown_key_is_a_notice(a3s: Bench) -> None:
    (a3s.work / "a.acl").write_text('defualt_model = "openai/x"\n')
    result = a3s("run", "--config", "a.acl", "hi", script=[text("yo")])
    notice = result.one("notice")
    assert notice["code"] == "config_key_unknown"
    assert (notice["key"], notice["nearest"]) == ("defualt_model", "default_model")
    assert result.text == "yo"


def test_a_config_names_the_model(a3s: Bench) -> None:
    server = a3s.serve([text("yo")])
    (a3s.work / "a.acl").write_text(
        'default_model = "mine/some-model"\n'
        f'providers "mine" {{\n  api = "openai-chat"\n  base_url = "{server.url}/v1"\n'
        '  api_key = "sk-mine"\n  models "some-model" {}\n}\n'
    )
    result = a3s("run", "--config", "a.acl", "hi")
    assert result.events[0]["model"] == "mine/some-model"
    assert server.requests[0].headers["authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize("output", ["raw", "pretty"])
def test_a_config_error_in_other_renderings(a3s: Bench, output: str) -> None:
    result = a3s("run", "-o", output, "-m", "opnai/x", "hi")
    assert result.status == 78
    assert b"openai" in result.stderr or (output == "pretty" and b"openai" in result.stdout)


@pytest.mark.parametrize("args", [("--help",), ("-h",), ("run", "--help"), ("run", "-h")])
def test_help(a3s: Bench, args: tuple[str, ...]) -> None:
    result = a3s(*args, laws="none")
    assert (result.status, result.stderr) == (0, b"")
    assert b"a3s run" in result.stdout or b"Usage" in result.stdout


def test_version(a3s: Bench) -> None:
    result = a3s("--version")
    assert (result.status, result.stderr) == (0, b"")
    version = a3s("run", "hi", script=[text("yo")]).events[0]["version"]
    assert version in result.stdout.decode()
    assert a3s("-V").stdout == result.stdout


def test_tools(a3s: Bench) -> None:
    result = a3s("tools", "--json")
    assert (result.status, result.stderr) == (0, b"")
    try:
        tools = json.loads(result.stdout)
    except ValueError:
        tools = [json.loads(line) for line in result.stdout.splitlines()]
    assert {tool["name"] for tool in tools} >= {"bash", "read", "write", "edit", "grep", "glob"}
    plain = a3s("tools")
    assert plain.status == 0 and b"bash" in plain.stdout


def test_models(a3s: Bench) -> None:
    for args in (("models",), ("models", "--json")):
        result = a3s(*args)
        assert (result.status, result.stderr) == (0, b"")
    assert result.stdout


def test_config_shows_where_a_value_is_from_and_no_secret(a3s: Bench) -> None:
    result = a3s("config", env={"A3S_MODEL": "openai/from-the-environment"})
    assert result.status == 0
    assert b"openai/from-the-environment" in result.stdout and b"A3S_MODEL" in result.stdout
    assert b"sk-bench" not in result.stdout + result.stderr


def test_the_environment_does_not_change_what_a_script_gets(a3s: Bench) -> None:
    env = {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TERM": "xterm-256color", "LC_ALL": "C"}
    env |= {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0", "COLUMNS": "20"}
    for output in ("json", "raw"):
        usual = a3s("run", "-o", output, "é", script=[text("né\n")])
        other = a3s("run", "-o", output, "é", script=[text("né\n")], env=env)
        if output == "raw":
            assert usual.stdout == other.stdout == "né\n".encode()
        else:
            assert usual.types == other.types and b"\x1b" not in other.stdout
            assert other.events[0]["prompt"] == "é"


def test_a_home_that_cannot_be_used(a3s: Bench) -> None:
    gone = {"HOME": "/dev/null", "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None}
    assert a3s("run", "hi", script=[text("yo")], env=gone).text == "yo"
    assert a3s("run", "hi", script=[text("yo")], env={**gone, "HOME": None}).text == "yo"


BUG = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise {raised}

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("name", ["h11", "a3s_cli.transport", "a3s_cli.providers.openai_chat"])
@pytest.mark.parametrize(
    "raised", ["RuntimeError('broken \\n here')", "ImportError('gone')", "MemoryError()"]
)
def test_a_bug_of_ours_is_a_whole_stream(a3s: Bench, name: str, raised: str) -> None:
    """Broken from outside, because there is no such bug to be had otherwise."""
    (a3s.root / "bug").mkdir()
    (a3s.root / "bug" / "sitecustomize.py").write_text(BUG.format(name=name, raised=raised))
    env = {"PYTHONPATH": str(a3s.root / "bug")}
    result = a3s("run", "go", script=[text("yo")], env=env)
    assert (result.last["code"], result.status) == ("internal", 70)
    assert "--debug" in result.last["hint"]
    # Only what is a bug is called one.
    assert ("a3s has a bug" in result.last["error"]) == raised.startswith("Runtime")
    debugged = a3s("run", "--debug", "go", script=[text("yo")], env=env)
    assert b"Traceback" in debugged.stderr and debugged.status == 70


@pytest.mark.parametrize("name", ["click", "a3s_cli.cli", "a3s_cli.commands.run"])
@pytest.mark.parametrize("raised", ["ImportError('gone')", "MemoryError()"])
def test_what_cannot_be_loaded_is_a_sentence(a3s: Bench, name: str, raised: str) -> None:
    (a3s.root / "bug").mkdir()
    (a3s.root / "bug" / "sitecustomize.py").write_text(BUG.format(name=name, raised=raised))
    result = a3s("run", "go", laws="none", env={"PYTHONPATH": str(a3s.root / "bug")})
    first, second = result.stderr.decode().splitlines()
    assert first.startswith("a3s: ") and "bug" not in first and second.startswith("hint: ")
    assert (result.status, result.stdout) == (70, b"")


@pytest.mark.parametrize("kilobytes", [60_000, 100_000, 200_000, 400_000])
def test_little_memory_is_a_sentence(a3s: Bench, kilobytes: int) -> None:
    line = f"ulimit -v {kilobytes}; a3s run -m $MODEL go"
    result = a3s.shell(line, script=[text("yo")]).finish()
    for unwanted in (b"Traceback", b"a3s has a bug"):
        assert unwanted not in result.stderr + result.stdout, result.stderr
