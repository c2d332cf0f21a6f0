"""`--help` of every command: in sections, within 80 columns, with an example."""

from __future__ import annotations

import re

import click
import pytest

from a3s_cli.cli import group
from a3s_cli.cli.run import SECTIONS, run
from a3s_cli.cli.sections import REST, Sectioned, SectionedGroup
from a3s_cli.manual.tree import Command, read

from ..support.a3s import Bench

ROOT = read(group)
#: More options than these are not found in one list.
GLANCE = 8


@pytest.mark.parametrize("command", list(ROOT.walk()), ids=lambda one: one.name)
def test_help_fits_and_has_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
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
    listed = [name for names in group.command_sections.values() for name in names]
    assert sorted(listed) == sorted(group.commands)
    for command in (run, group.commands["policy"].commands["test"]):  # type: ignore[attr-defined]
        assert isinstance(command, Sectioned)
        named = [name for names in command.sections.values() for name in names]
        assert len(named) == len(set(named))
        assert set(named) <= {one.name for one in command.params}


def test_no_long_list_is_without_sections() -> None:
    def walk(command: click.Command) -> list[click.Command]:
        below = command.commands.values() if isinstance(command, click.Group) else ()
        return [command, *(one for each in below for one in walk(each))]

    for command in walk(group):
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert isinstance(command, Sectioned) or len(options) <= GLANCE, command.name
