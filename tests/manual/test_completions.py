"""TAB in real shells, on a terminal."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251 - linters of other languages
from collections.abc import Iterator
from pathlib import Path

import pytest

from a3s_cli.cli import group
from a3s_cli.manual.completions import script
from a3s_cli.manual.tree import KINDS, CommandTree, read

from .keyboard import SHELLS, Desk

ROOT = read(group)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param}")
    return str(request.param)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


#: What is typed, with TAB as `^`, and what `a3s` then gets.
TYPED = {
    "a3s ru^": "<run>",
    "a3s mod^pu^smo^": "<models><pull><smollm2-135m>",
    "a3s run --output pre^": "<run><--output><pretty>",
    "a3s run -o pre^": "<run><-o><pretty>",
    "a3s run --output=pre^": "<run><--output=pretty>",
    "a3s run --no-proj^--read-o^": "<run><--no-project><--read-only>",
    "a3s run -f no^": "<run><-f><notes.md>",
    "a3s run --config=no^": "<run><--config=notes.md>",
    "a3s run -f sp^": "<run><-f><spa ce.md>",
    "a3s run -C di^x^": "<run><-C><directory/x/>",
    "a3s run --tools bash,re^": "<run><--tools><bash,read>",
    "a3s run --allow web^": "<run><--allow><web_fetch>",
    "a3s run --env NOTE^": "<run><--env><NOTED>",
    # A word after a prompt, an option's value or `--` is no command.
    "a3s run run sess^": "<run><run><sess>",
    "a3s run -m models pu^": "<run><-m><models><pu>",
    "a3s -- ru^": "<--><run>",
    "a3s run -- --no-proj^": "<run><--><--no-proj>",
    "a3s policy tes^--allow web^ba^": "<policy><test><--allow><web_fetch><bash>",
    "a3s completion zs^": "<completion><zsh>",
    "a3s man ev^": "<man><events>",
    "a3s replay no^": "<replay><notes.md>",
    "a3s sessions show 07^": "<sessions><show><07abcdefghjkmnpqr>",
    "a3s sessions rm 06^07^": "<sessions><rm><06abcdefghjkmnpqr><07abcdefghjkmnpqr>",
    "a3s-cli sess^li^": "<sessions><list>",
    "true | a3s ru^": "<run>",
}


def test_words_are_completed_without_starting_anything(desk: Desk, shell: str) -> None:
    for name in ("notes.md", "spa ce.md", "directory/x/y"):
        desk.file(name)
    for name in ("06abcdefghjkmnpqr", "07abcdefghjkmnpqr"):
        desk.file(f"~/.local/state/a3s/sessions/{name}.ndjson")
    typed = [line.replace("^", "\t") for line in TYPED]
    assert [line.replace("/>", ">") for line in desk.type(shell, *typed)] == [
        line.replace("/>", ">") for line in TYPED.values()
    ]


def options(command: CommandTree) -> Iterator[tuple[str, bool]]:
    """Every long option that can be told from the others without its last letter."""
    names = [flag for option in command.options for flag in option.flags if flag[:2] == "--"]
    for option in command.options:
        flag = option.flags[-1]
        if sum(name.startswith(flag[:-1]) for name in names) == 1:
            yield flag, option.value is not None


def test_every_option_of_every_command_is_known(desk: Desk, shell: str) -> None:
    lines, expected = [], []
    for command in ROOT.walk():
        typed, words = command.name, list(command.path[1:])
        for flag, takes in options(command):
            if flag not in ("--help", "--version"):  # others are no use with these
                typed += f" {flag[:-1]}\t" + (" 1" if takes else "")
                words += [flag, "1"] if takes else [flag]
        lines.append(typed.replace("\t ", "\t") if shell != "zsh" else typed)
        expected.append("".join(f"<{word}>" for word in words))
    assert desk.type(shell, *lines) == expected


def test_models_are_completed_from_what_was_kept(desk: Desk, shell: str) -> None:
    asked = "<completion><--models>"
    lines = ["a3s run -m openai/g\t", "a3s run --model=ollama/qwen3:\t", "a3s run -m mis\tlarge"]
    assert desk.type(shell, *lines) == [
        asked, "<run><-m><openai/gpt-5>",
        asked, "<run><--model=ollama/qwen3:8b>",
        asked, "<run><-m><mistral/large>",
    ]  # fmt: skip
    desk.noted.unlink()
    desk.file("~/.cache/a3s/model-names", "work/kept\n")
    # The names are made anew in the background, so the two lines may come in either order. The
    # shell is left after both: a terminal that closes hangs up on what runs in it.
    desk.file("both", 'until test "$(wc -l < "$NOTED")" = 2; do sleep 0.05; done')
    lines = desk.type(shell, "a3s run -m wo\t", "sh both")
    assert sorted(lines) == [asked, "<run><-m><work/kept>"]


def test_a_name_is_never_executed(desk: Desk, shell: str) -> None:
    hostile = "$(touch pwned);`touch pwned`"
    desk.file(f"~/.local/state/a3s/sessions/{hostile}.ndjson".replace("touch ", "touch${IFS}"))
    desk.file("~/.cache/a3s/model-names", f"{hostile}\n")
    desk.file(f"{hostile}.md")
    desk.type(shell, "a3s sessions show \t", "a3s run -m \t", "a3s run -f \t")
    assert not (desk.work / "pwned").exists()


def test_a_script_can_be_sourced(desk: Desk, shell: str) -> None:
    """As `source <(a3s completion zsh)` does: no file of it is where the shell looks."""
    text = script(ROOT, shell)
    shutil.rmtree(desk.share)
    desk.file("script", text)
    source = "autoload -Uz compinit; compinit -u -D; . ./script" if shell == "zsh" else ". ./script"
    assert desk.type(shell, source, "a3s ru\t") == ["<run>"]


def test_the_scripts_are_clean() -> None:
    for program in ("shellcheck", "zsh", "fish"):
        if not shutil.which(program):
            pytest.skip(f"no {program}")
    for command in (["shellcheck", "-"], ["zsh", "-n", "/dev/stdin"], ["fish", "-n", "/dev/stdin"]):
        shell = "bash" if command[0] == "shellcheck" else command[0]
        result = subprocess.run(
            command, input=script(ROOT, shell), capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_every_value_is_of_a_known_kind() -> None:
    """A word for a value that is new in `--help` belongs into `KINDS`, if only as text."""
    for command in ROOT.walk():
        for option in command.options:
            if option.value and option.value.kind == "text":
                assert set(option.value.name.split("|")) & KINDS.keys(), (command.name, option)
