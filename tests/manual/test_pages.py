"""The manual pages: what the code says, well-formed, complete, and true in their examples."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess  # noqa: TID251 - the programs that read manual pages
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from a3s_cli import __version__
from a3s_cli.cli import NAMES, group
from a3s_cli.commands import policy as policy_test
from a3s_cli.config.layers import load
from a3s_cli.events import Event, camel
from a3s_cli.manual import facts
from a3s_cli.manual.__main__ import generated
from a3s_cli.manual.blocks import Block, Item, Paragraph, Sections, Verbatim, sections
from a3s_cli.manual.inline import pieces
from a3s_cli.manual.pages import PROSE, RELEASED, ManualPage, content, man_source, pages, plain_text
from a3s_cli.manual.roff import page as to_roff
from a3s_cli.manual.text import page as to_text
from a3s_cli.manual.tree import read

from ..support.a3s import Bench, proofs

CHECKOUT = Path(__file__).parents[2]
ROOT = read(group)
PAGES = pages(ROOT)


def test_what_is_committed_is_what_the_code_says() -> None:
    """Run `python -m a3s_cli.manual` after a change of a command, an event, a key or an error."""
    wanted = generated()
    there = {
        path.relative_to(CHECKOUT).as_posix(): path.read_text("utf-8")
        for name in ("man", "completions")
        for path in (CHECKOUT / name).rglob("*")
        if path.is_file()
    }
    assert sorted(there) == sorted(wanted)
    assert [name for name, text in wanted.items() if there[name] != text] == []


def test_the_date_is_that_of_the_version() -> None:
    """Pages must not change by themselves: their date is written down, at the latest on release."""
    changes = (CHECKOUT / "CHANGELOG.md").read_text()
    dated = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", changes, re.M)
    assert dated is None or dated[1] == RELEASED


@pytest.mark.parametrize("command", ["mandoc -Tlint", "groff -ww -man -Tutf8 -z"])
def test_the_pages_are_clean(command: str) -> None:
    program, *options = command.split()
    if not shutil.which(program):
        pytest.skip(f"no {program}")
    files = [str(CHECKOUT / "man" / page.file) for page in PAGES]
    result = subprocess.run(
        [program, *options, *files], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


#: Anything that can be in a docstring, and what roff or our own marks could take for theirs.
LETTERS = st.characters(min_codepoint=33, max_codepoint=126) | st.sampled_from("é…→'.\\`_-")
LINES = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=12).map(" ".join)


@settings(max_examples=proofs(30))
@given(LINES, LINES, st.lists(LINES | st.just(""), min_size=1, max_size=3))
@example(r".so /etc/passwd 'x \n a\fBb `.PP` \(em ~ ^", ".TH", ["'tis", ".", "", r"\\"])
def test_text_stays_text(line: str, term: str, lines: list[str]) -> None:
    """man(1) shows the words that `a3s man` shows, whatever they are: nothing is obeyed."""
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    block = Verbatim(tuple(lines))
    content: Sections = {
        "NAME": [Paragraph("x - y"), Paragraph(line), Item(term, (Paragraph(line), block))],
        "BUGS": [block, Item(term, (block, Item(term, (Paragraph(line),)))), Paragraph(term)],
    }
    source = to_roff("x", 1, RELEASED, "x", content)
    assert words_shown(source) == to_text(content, 80).split()


def words_shown(source: str) -> list[str]:
    """The words that man(1) shows of a page, without its header and footer."""
    command = ["mandoc", "-Tutf8", "-Owidth=100"]
    result = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    plain = re.sub(".\b", "", result.stdout)
    return plain.split("\n", 1)[1].rsplit("\n", 2)[0].split()


# -- completeness ------------------------------------------------------------------


def terms(name: str, section: int, title: str) -> set[str]:
    """The first word of every term of a section, at any depth."""

    def walk(blocks: Iterable[Block]) -> Iterator[str]:
        for block in blocks:
            if isinstance(block, Item):
                yield plain(block.term).split()[0]
                yield from walk(block.body)

    return set(walk(content(ROOT, ManualPage(name, section))[title]))


def plain(text: str) -> str:
    return "".join(piece for _, piece in pieces(text))


def test_every_command_has_a_page_with_all_its_options() -> None:
    assert {page.name for page in PAGES if page.section == 1} == {
        "a3s",
        *(f"a3s-{name}" for name in NAMES),
    }
    for page in PAGES:
        if page.section == 1 and page.name != "a3s":
            text = plain_text(ROOT, page, 80)
            command = next(one for one in ROOT.commands if one.path[-1] == page.topic)
            flags = {
                flag for one in command.walk() for option in one.options for flag in option.flags
            }
            assert {flag for flag in flags if not re.search(rf"(?<!\S){flag}\b", text)} == set()
            assert "EXAMPLES" in text


def test_no_prose_is_without_a_page() -> None:
    assert {path.name for path in PROSE.iterdir()} <= {
        f"{one.name}.{one.section}.md" for one in PAGES
    }


def test_every_exit_status_is_explained() -> None:
    assert set(map(str, facts.STATUSES)) <= terms("a3s", 1, "EXIT STATUS")


def test_every_event_and_every_field_is_explained() -> None:
    fields = {camel(name) for kind in Event.kinds.values() for name, _ in kind.fields}
    assert terms("a3s-events", 5, "EVENTS") == {*Event.kinds, *fields}


def test_every_notice_is_explained() -> None:
    """Their codes are what is given to whatever makes a notice, by name or as its first word."""
    codes = set()
    for path in (CHECKOUT / "a3s_cli").rglob("*.py"):
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source if "otice(" in source else "")):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                words = [one.value for one in node.keywords if one.arg == "code"] + node.args[:1]
                if name.lower().endswith("notice") and words and isinstance(words[0], ast.Constant):
                    codes.add(words[0].value)
    items = content(ROOT, ManualPage("a3s-events", 5))["NOTICES"]
    terms = " ".join(item.term for item in items if isinstance(item, Item))
    assert codes == set(re.findall(r"`(\w+)`", terms))


def test_every_key_is_explained_by_somebody() -> None:
    """Not only by its check: the prose has a word on each, and on none that does not exist."""
    prose = (PROSE / "a3s-config.5.md").read_text("utf-8")
    written = sections(prose, lambda name: [])
    for title, table in facts.KEYS.items():
        items = {block.term for block in written[title] if isinstance(block, Item)}
        assert {term for term in items if "`" not in term} == set(table), title


# -- examples ----------------------------------------------------------------------


def verbatim(page: ManualPage) -> Iterator[tuple[str, ...]]:
    for blocks in content(ROOT, page).values():
        for block in blocks:
            if isinstance(block, Verbatim):
                yield block.lines


def commands_in(line: str) -> Iterator[list[str]]:
    """The words of every `a3s` in a line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, "|"]:
        if set(word) <= set("|&;<>()"):
            if words[:1] == ["a3s"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


def accept(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Let click read a command line without doing what it says."""
    context = command.make_context("a3s", list(words), parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if rest:
            _, below, rest = command.resolve_command(context, rest)
            assert below
            accept(below, rest, context)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_examples_are_command_lines(page: ManualPage) -> None:
    lines = [line for lines in verbatim(page) for line in lines if re.search(r"\ba3s ", line)]
    found = [words for line in lines for words in commands_in(line.removeprefix("$ "))]
    assert found or page.section != 1
    for words in found:
        accept(group, words)


def tables() -> list[tuple[str, str, str]]:
    """Every row of the tables of a3s-policy(7): rules, what is called, decision."""
    found = []
    for lines in verbatim(ManualPage("a3s-policy", 7)):
        head, *rows = (re.split(r"\s{2,}", line) for line in lines)
        if head[0] == "rules":
            found += [(row[0], json_of(head[1], row), row[2]) for row in rows]
    return found


def json_of(kind: str, row: list[str]) -> str:
    key = {"path": "file_path"}.get(kind, kind)
    return json.dumps({key: row[1]})


@pytest.mark.parametrize(("flags", "call", "decision"), tables())
def test_the_tables_of_rules_are_true(
    flags: str, call: str, decision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    words = shlex.split(flags)
    rules: dict[str, list[str]] = {"allow": [], "deny": [], "ask": []}
    for flag, rule in zip(words[::2], words[1::2], strict=False):
        rules[flag[2:]].append(rule)
    tool = re.match(r"\w+", words[1])[0] if words[1:] else "read"  # type: ignore[index]
    if tool == "write":
        call = call[:-1] + ',"content":""}'
    question = policy_test.PolicyQuestion(tool, rules, call, allow_all=words == ["--allow-all"])
    text, status = policy_test.judge(question)
    assert f'"decision":"{decision}"' in text
    assert status == policy_test.STATUS[decision]


def test_the_sessions_run(a3s: Bench) -> None:
    if not shutil.which("jq"):
        pytest.skip("no jq")
    for page in PAGES:
        for lines in verbatim(page):
            if lines[0].startswith("$ "):
                result = a3s.shell(lines[0][2:], script=[]).finish()
                assert result.stdout.decode().splitlines() == list(lines[1:])


def test_the_configurations_load(tmp_path: Path) -> None:
    files = [
        lines for lines in verbatim(ManualPage("a3s-config", 5)) if "default_model" in lines[0]
    ]
    assert len(files) == 2
    for lines in files:
        text = "\n".join(lines)
        config = load({}, {"WORK_KEY": "k"}, tmp_path, config_text=text, project=False)
        assert config.notices == []
        assert config.get("max_turns") == 20
        assert config.providers["work"].models["llama-3"].get("context_tokens") == 131072


# -- as text ----------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 100])
def test_text_keeps_to_its_width(width: int) -> None:
    def unbroken(blocks: Iterable[Block]) -> Iterator[str]:
        for block in blocks:
            if isinstance(block, Verbatim):
                yield from (line.strip() for line in block.lines)
            elif isinstance(block, Item):
                yield plain(block.term)
                yield from unbroken(block.body)

    for page in PAGES:
        free = {line for blocks in content(ROOT, page).values() for line in unbroken(blocks)}
        lines = plain_text(ROOT, page, width).splitlines()
        assert [line for line in lines if len(line) > width and line.strip() not in free] == []


def test_text_says_what_man_says() -> None:
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    for page in PAGES:
        assert words_shown(man_source(ROOT, page)) == plain_text(ROOT, page, 80).split()
