"""The manual pages and their content."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from ..version import __version__
from . import facts, roff, text
from .blocks import Block, Heading, Item, Paragraph, Sections, Verbatim, sections
from .tree import Argument, CommandTree, Option

#: The release date of this version: pages are dated, and must not change on their own.
RELEASED = "2026-11-22"
PROSE = Path(__file__).parent / "prose"
#: The order of sections; any others come between OPTIONS and EXIT STATUS.
_BEFORE = ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS")
_AFTER = ("EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO")


class ManualPage(NamedTuple):
    """One page: `a3s-run`, 1."""

    name: str
    section: int

    def __str__(self) -> str:
        return f"{self.name}({self.section})"

    @property
    def topic(self) -> str:
        """Its short name: `run`."""
        return self.name.removeprefix("a3s-")

    @property
    def file(self) -> str:
        """Its path below a directory of manuals."""
        return f"man{self.section}/{self.name}.{self.section}"


CONFIGURATION = ManualPage("a3s-config", 5)


def pages(root: CommandTree) -> list[ManualPage]:
    """Return every page: one per command, then those on formats and rules."""
    commands = [ManualPage("-".join(one.path), 1) for one in (root, *root.commands)]
    names = sorted(path.name.split(".") for path in PROSE.glob("*.[57].md"))
    return [*commands, *(ManualPage(name, int(section)) for name, section, _ in names)]


def find(root: CommandTree, words: Sequence[str]) -> ManualPage:
    """Return the requested page: `run`, `a3s-run`, `config.5`, `5 config` or `config(5)`.

    Raises `UsageError` if there is no such page.
    """
    every = pages(root)
    section, topic = ("", *words)[-2:] if words else ("", "a3s")
    asked = re.fullmatch(r"(.+?)(?:[.]([1-8])|\(([1-8])\))", topic)
    if asked:
        topic, section = asked[1], asked[2] or asked[3]
    for page in every:
        if topic in (page.name, page.topic) and section in ("", str(page.section)):
            return page
    from difflib import get_close_matches

    near = get_close_matches(topic, [page.topic for page in every], 1)
    raise UsageError(
        f"there is no page about {topic!r}" + (f" in section {section}" if section else ""),
        hint="the pages are " + ", ".join(map(str, every)),
        correction=(topic, near[0]) if near and near[0] != topic else None,
    )


def man_source(root: CommandTree, page: ManualPage) -> str:
    """Return a page as source for man(1)."""
    return roff.page(page.name, page.section, RELEASED, f"a3s {__version__}", content(root, page))


def plain_text(root: CommandTree, page: ManualPage, width: int) -> str:
    """Return a page as plain text."""
    return text.page(content(root, page), width)


def content(root: CommandTree, page: ManualPage) -> Sections:
    """Return all sections of a page: the generated ones and its prose."""
    found: Sections = {}
    for one in (root, *root.commands):
        if ManualPage("-".join(one.path), 1) == page:
            found = _command_page(one)
    file = PROSE / f"{page.name}.{page.section}.md"
    if file.exists():
        for title, blocks in sections(file.read_text("utf-8"), _generated).items():
            # Prose on exit statuses is complete, so it replaces the generated ones.
            known = [] if title == "EXIT STATUS" else found.get(title, [])
            found[title] = [*known, *blocks]
    if page == CONFIGURATION:
        found |= {key: facts.described(found[key], table) for key, table in facts.KEYS.items()}
    others = [one for one in pages(root) if one != page and (page.name == "a3s" or _general(one))]
    found["SEE ALSO"] = [Paragraph(", ".join(map(str, others)))]
    between = [title for title in found if title not in _BEFORE + _AFTER]
    return {title: found[title] for title in (*_BEFORE, *between, *_AFTER) if title in found}


def _general(page: ManualPage) -> bool:
    return page.name == "a3s" or page.section != 1


def _generated(name: str) -> Sequence[Block]:
    """Return the blocks that the prose calls `@name`."""
    return {
        "events": facts.event_list,
        "fields": facts.event_fields,
        "batch-fields": facts.batch_fields,
        "statuses": facts.exit_statuses,
        "run-statuses": facts.run_statuses,
        "tools": facts.tools,
        "providers": facts.providers,
    }[name]()


# -- a command's page --------------------------------------------------------------


def _command_page(command: CommandTree) -> Sections:
    described, about_status = _help(command)
    found: Sections = {
        "NAME": [Paragraph(f"{'-'.join(command.path)} - {_sentence(command.summary)}")],
        "SYNOPSIS": [Paragraph(line) for line in _synopses(command)],
        "DESCRIPTION": described if len(command.path) > 1 else [],
    }
    if command.commands:
        alone = len(command.path) == 1
        found["COMMANDS"] = [
            block for one in command.commands for block in (_entry(one) if alone else _part(one))
        ]
    found["OPTIONS"] = list(_options(command))
    if len(command.path) > 1:
        said = " ".join(block.text for block in about_status if isinstance(block, Paragraph))
        said_already = {int(number) for number in re.findall(r"\d+", said)}
        rest = [status for status in facts.ALWAYS if status not in said_already]
        found["EXIT STATUS"] = [*about_status, *facts.exit_statuses(rest), _ALL_STATUSES]
    found["EXAMPLES"] = _verbatim_parts(command.epilog)
    return found


_ALL_STATUSES = Paragraph("Every exit status of a3s is listed in a3s(1).")


def _sentence(summary: str) -> str:
    return summary[:1].lower() + summary[1:].rstrip(".")


def _synopses(command: CommandTree) -> Iterator[str]:
    """Yield the forms of a command line, one for each command that can be run."""
    if len(command.path) == 1:
        yield f"`{command.name}` _command_ [_option_ ...] [_argument_ ...]"
        yield f"`{command.name}` `--help` | `--version`"
        return
    for one in command.walk():
        if one.runs:
            words = [f"`{one.name}`", "[_option_ ...]", *map(_argument, one.arguments)]
            yield " ".join(words)


def _argument(argument: Argument) -> str:
    name = argument.value.name
    word = f"`{name}`" if name == "-" else f"_{name}_"
    word = f"{word} ..." if argument.repeats else word
    return word if argument.required else f"[{word}]"


def _help(command: CommandTree) -> tuple[list[Block], list[Block]]:
    """Return the description of `--help` and what it says about exit statuses."""
    described: list[Block] = []
    about_status: list[Block] = []
    for part in re.split(r"\n\s*\n", command.help):
        if part.startswith("\b"):
            described.append(Verbatim(tuple(part.strip("\b\n").split("\n"))))
        elif part.startswith("Exit status"):
            about_status.append(Paragraph(" ".join(part.split()).removeprefix("Exit status: ")))
        else:
            described.append(Paragraph(" ".join(part.split())))
    return described, about_status


def _entry(command: CommandTree) -> list[Block]:
    page = ManualPage("-".join(command.path), 1)
    return [Item(f"`{command.name}`", (Paragraph(f"{command.summary} See {page}."),))]


def _part(command: CommandTree) -> list[Block]:
    """Return the blocks of a subcommand on its parent's page."""
    described, about_status = _help(command)
    options = [_option(one) for one in command.options if "--help" not in one.flags]
    synopsis = [Paragraph(line) for line in _synopses(command)]
    examples = [part for part in _verbatim_parts(command.epilog) if isinstance(part, Verbatim)]
    title = Heading(command.name)
    return [title, *synopsis, *described, *options, *about_status, *examples]


def _options(command: CommandTree) -> Iterator[Block]:
    """Yield the options of a command in the sections of its `--help`."""
    for title in command.sections:
        if title:
            yield Heading(title)
        yield from (_option(one) for one in command.options if one.section == title)


def _option(option: Option) -> Block:
    flags = ", ".join(f"`{flag}`" for flag in option.flags)
    value = option.value
    if value and value.choices:
        flags += " " + "|".join(f"`{choice}`" for choice in value.choices)
    elif value:
        flags += f" _{value.name}_"
    help = option.help + (" Can be given more than once." if option.repeats else "")
    return Item(flags, (Paragraph(help),))


def _verbatim_parts(epilog: str) -> list[Block]:
    """Split an epilog into titles that end in a colon and the text below them."""
    found: list[Block] = []
    for part in epilog.split("\b\n"):
        if not part.strip():
            continue
        title, _, below = part.strip("\n").partition("\n")
        if title not in ("Example:", "Examples:"):
            found.append(Paragraph(title))
        found.append(Verbatim(tuple(textwrap.dedent(below).rstrip().split("\n"))))
    return found
