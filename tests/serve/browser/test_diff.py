"""Changes in the page: the lines of an `edit`, and what a run has cost."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import expect

from a3s_cli.output.wording import dollars

from ...support.replies import a_call, calls, text
from ..serving import Host
from .chromium import Chat
from .conftest import Open

#: In the page: the diffs of pairs of texts.
DIFFS = """async (pairs) => {
  const { diff } = await import("/page/diff.js");
  return pairs.map(([before, after]) => diff(before, after));
}"""
#: In the page: amounts as the page says them.
DOLLARS = """async (amounts) => {
  const { dollars } = await import("/page/wording.js");
  return amounts.map(dollars);
}"""
NUMBERS = "".join(f"{number}\n" for number in range(1, 21))
CASES = {
    "nothing": ("a\nb\n", "a\nb\n", []),
    "one line in the middle": ("a\nb\nc", "a\nB\nc", [" a", "-b", "+B", " c"]),
    "what is removed comes first": ("a\nb\n", "c\nd\n", ["-a", "-b", "+c", "+d"]),
    "at the beginning": ("b\n", "a\nb\n", ["+a", " b"]),
    "at the end": ("a\n", "a\nb\n", [" a", "+b"]),
    "everything": ("a\n", "", ["-a"]),
    "from nothing": ("", "a\n\n", ["+a", "+"]),
    "spaces count": ("a \n", "a\n", ["-a ", "+a"]),
    "line ends do not": ("a\r\nb\r\n", "a\nc\n", [" a", "-b", "+c"]),
    "two that are near share their lines": (
        "1\n2\n3\n4\n", "one\n2\n3\nfour\n", ["-1", "+one", " 2", " 3", "-4", "+four"],
    ),
    "two that are far have a gap between them": (
        NUMBERS, NUMBERS.replace("2\n", "two\n", 1).replace("19\n", "nineteen\n"),
        [
            *(" 1", "-2", "+two", " 3", " 4", " 5", "⋮"),
            *(" 16", " 17", " 18", "-19", "+nineteen", " 20"),
        ],
    ),
    "a line that moved": ("a\nb\nc\n", "b\nc\na\n", ["-a", " b", " c", "+a"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def seeded() -> random.Random:
    return random.Random(13)


def lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def in_common(old: list[str], new: list[str]) -> int:
    """How many lines two texts have in common, in order: the textbook's recursion."""
    row = [0] * (len(new) + 1)
    for one in old:
        above, row = row, [0]
        for at, other in enumerate(new):
            row.append(above[at] + 1 if one == other else max(row[at], above[at + 1]))
    return row[-1]


def rows(found: dict[str, list[list[str]]]) -> list[str]:
    return [sign + line for sign, line in found["rows"]]


def test_the_rows_of_a_change(host: Host, open_page: Open, seeded: random.Random) -> None:
    chat = open_page(host.serve([]))
    found = chat.page.evaluate(DIFFS, [[old, new] for old, new, _ in CASES.values()])
    assert dict(zip(CASES, map(rows, found), strict=True)) == {
        name: wanted for name, (_, _, wanted) in CASES.items()
    }

    # Random texts of few different lines: the fewest rows, from which both texts can be read.
    def some() -> str:
        return "".join(f"{seeded.choice('abc')}\n" for _ in range(seeded.randint(0, 7)))

    pairs = [[some(), some()] for _ in range(2000)]
    whole = 0
    for (old, new), found in zip(pairs, chat.page.evaluate(DIFFS, pairs), strict=True):
        same = in_common(lines(old), lines(new))
        assert (found["removed"], found["added"]) == (
            len(lines(old)) - same, len(lines(new)) - same,
        ), (old, new)  # fmt: skip
        if not found["rows"] or ["⋮", ""] in found["rows"] or same > 3:
            continue
        whole += 1
        assert [line for sign, line in found["rows"] if sign != "+"] == lines(old)
        assert [line for sign, line in found["rows"] if sign != "-"] == lines(new)
    assert whole > 1000


def test_a_change_of_very_many_lines_is_not_compared(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([]))
    old, new = ("".join(f"{side}{n}\n" for n in range(5000)) for side in "ab")
    [found] = chat.page.evaluate(DIFFS, [["same\n" + old + "end\n", "same\n" + new + "end\n"]])
    assert (found["added"], found["removed"], len(found["rows"])) == (5000, 5000, 10002)


def test_an_edit_shows_what_it_changes(host: Host, open_page: Open) -> None:
    old = "def greet(name):\n    return 'Hello!'\n"
    new = "def greet(name):\n    return f'Hello, {name}!' \u202e\n"
    (host.bench.work / "hello.py").write_text(old)
    change = {"file_path": "hello.py", "old_string": old, "new_string": new}
    chat = open_page(host.serve([calls(a_call("edit", change)), text("Done.")]))
    chat.send("Greet by name.")
    shown = [
        "  def greet(name):",
        "-     return 'Hello!'",
        "+     return f'Hello, {name}!' ⟨202e⟩",
    ]
    pieces = chat.page.locator(".diff > *")
    # Asked about, and as it runs.
    expect(pieces).to_have_text(shown, use_inner_text=True)
    assert [one.evaluate("(e) => e.localName") for one in pieces.all()] == ["span", "del", "ins"]
    expect(chat.cards.locator("dt")).to_have_text(["change · +1 −1"])
    chat.button("Allow once").click()
    expect(chat.ends).to_have_count(1)
    assert pieces.all_text_contents() == shown
    assert (host.bench.work / "hello.py").read_text() == new


def test_an_edit_of_line_ends_alone_shows_both_texts(host: Host, open_page: Open) -> None:
    change = {"file_path": "a.txt", "old_string": "a\r\n", "new_string": "a\n"}
    chat = open_page(host.serve([calls(a_call("edit", change)), text("Done.")]))
    chat.send("Change it.")
    expect(chat.cards.locator("dt")).to_have_text(["old_string · 2 lines", "new_string · 2 lines"])
    assert chat.cards.locator("dd").all_text_contents() == ["a⟨000d⟩\n", "a\n"]


def test_a_cost_is_said_as_at_a_terminal(host: Host, open_page: Open) -> None:
    amounts = [0, 1e-9, 0.00004, 0.00005, 0.0000999, 0.0001, 0.0123, 1, 12.34567, 1e6]
    chat: Chat = open_page(host.serve([]))
    assert chat.page.evaluate(DOLLARS, amounts) == [dollars(amount) for amount in amounts]
