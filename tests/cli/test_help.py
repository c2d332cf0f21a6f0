"""`--help` of every command: in sections, within 80 columns, with an example."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from a3s_cli import cli
from a3s_cli.cli import group
from a3s_cli.cli.run import SECTIONS
from a3s_cli.cli.sections import REST, Sectioned, SectionedGroup
from a3s_cli.manual.tree import CommandTree, read

from ..support.a3s import Bench

ROOT = read(group)


def walk(command: click.Command) -> list[click.Command]:
    """A command and all that are below it."""
    if not isinstance(command, click.Group):
        return [command]
    context = click.Context(command)
    below = [command.get_command(context, name) for name in command.list_commands(context)]
    return [command, *(one for each in below if each for one in walk(each))]


COMMANDS = walk(group)
#: More options than these are not found in one list.
GLANCE = 8


@pytest.mark.parametrize("command", list(ROOT.walk()), ids=lambda one: one.name)
def test_help_fits_and_has_an_example(
    command: CommandTree, capsys: pytest.CaptureFixture[str]
) -> None:
    group.main([*command.path[1:], "--help"], prog_name="a3s", standalone_mode=False)
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) >= 80] == []
    assert re.search(r"^  Examples?:\n    .*\ba3s\b", shown, re.M)
    assert "..." not in re.sub(r"\.\.\.(?=[\]\n])|\] ?\.\.\.", "", shown), "a summary was cut"


def test_the_real_help_is_in_sections(a3s: Bench) -> None:
    shown = a3s("run", "--help", env={"COLUMNS": "200", "LANG": "C", "LC_ALL": "C", "HOME": None})
    titles = re.findall(r"^(\w.*):$", shown.stdout.decode(), re.M)
    assert (shown.exit_status, titles) == (0, [*SECTIONS, REST])
    assert max(map(len, shown.stdout.decode().splitlines())) < 80


def test_every_command_and_every_name_has_its_place() -> None:
    """A section must not name what there is not, nor a command be left out of the list."""
    assert isinstance(group, SectionedGroup)
    listed = [name for names in group.sections.values() for name in names]
    files = {path.stem for path in Path(cli.__file__).parent.glob("*.py")}
    assert sorted(listed) == sorted(
        files - {"__init__", "options", "sections", "models_pull", "usage"}
    )
    for command in (one for one in COMMANDS if isinstance(one, Sectioned)):
        named = [name for names in command.sections.values() for name in names]
        assert len(named) == len(set(named))
        assert set(named) <= {one.name for one in command.params}


def test_no_long_list_is_without_sections() -> None:
    for command in COMMANDS:
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert isinstance(command, Sectioned) or len(options) <= GLANCE, command.name
