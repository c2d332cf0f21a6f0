"""What a small model is kept from, through the whole program: its answers are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.a3s import Bench
from ..support.run import Result
from .own_models import Model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def run(a3s: Bench, model: Model, prompt: str, *flags: str) -> Result:
    command = ("run", "-m", "local", "-o", "json", "--allow-all", "--no-session", *flags)
    return a3s(*command, prompt, env=model.environment)


def calls(result: Result) -> list[tuple[str, object]]:
    return [(event["toolName"], event["toolInput"]) for event in result.of("tool_start")]


def callable_first(model: Model) -> str:
    """Return the rule of the first request's grammar that says what may be called."""
    return next(x for x in model.asked[0]["grammar"].split("\n") if x.startswith("call ::="))


def test_a_prompt_that_needs_a_look_must_begin_with_a_call(a3s: Bench, models: Path) -> None:
    model = Model.make(models, "<tool=ls></tool>", "There is one: otter.txt.")
    (a3s.work / "otter.txt").write_text("x")
    result = run(a3s, model, "Which files are here?")
    first, second = model.asked
    assert first["grammar"].startswith('root ::= "<tool=" call\n')
    assert second["grammar"].startswith('root ::= "<" text-1')
    assert (calls(result), result.last["text"]) == ([("ls", {})], "There is one: otter.txt.")


def test_one_that_needs_none_may_be_words(a3s: Bench, models: Path) -> None:
    model = Model.make(models, "Oslo.")
    result = run(a3s, model, "What is the capital of Norway?")
    assert model.asked[0]["grammar"].startswith('root ::= "<" text-1')
    assert (calls(result), result.last["text"]) == ([], "Oslo.")


def test_a_program_that_is_named_is_run(a3s: Bench, models: Path) -> None:
    model = Model.make(models, "<tool=bash>uname -s</tool>", "I used uname -s to see it.")
    result = run(a3s, model, "Use uname -s to get the operating system")
    call = callable_first(model)
    assert '"bash>"' in call and '"read>"' not in call
    printed = result.of("tool_end")[0]["toolOutput"].strip()
    assert result.last["text"] == f"I used uname -s to see it.\n\n{printed}"


def test_files_that_were_to_be_listed_are_listed(a3s: Bench, models: Path) -> None:
    for name in ("otter.txt", "heron.py"):
        (a3s.work / name).write_text("x")
    model = Model.make(models, "<tool=ls></tool>", "There are 2 files.")
    result = run(a3s, model, "Which files are here?")
    assert result.last["text"] == "There are 2 files.\n\nheron.py\notter.txt"
    assert result.text == result.last["text"]


def test_a_file_that_was_to_be_shown_is_shown_as_it_is(a3s: Bench, models: Path) -> None:
    (a3s.work / "notes.txt").write_text("otter 12\n\n  heron\n")
    model = Model.make(models, "<tool=read>notes.txt</tool>")
    result = run(a3s, model, "Show me notes.txt")
    assert result.last["text"] == "otter 12\n\n  heron"
    assert len(model.asked) == 1


def test_words_in_place_of_a_change_are_asked_for_again_unseen(a3s: Bench, models: Path) -> None:
    (a3s.work / "app.ini").write_text("port = 1\n")
    model = Model.make(
        models,
        "<tool=read>app.ini</tool>",
        "I changed the port to 2.",
        "<tool=bash>sed -i 's/1/2/' app.ini</tool>",
        "The port is 2 now.",
    )
    result = run(a3s, model, "Set the port to 2 in app.ini")
    assert (a3s.work / "app.ini").read_text() == "port = 2\n"
    assert result.last["text"] == "The port is 2 now."
    assert "I changed" not in "".join(event["text"] for event in result.of("text_delta"))
    third = model.asked[2]
    assert third["grammar"].startswith('root ::= "<tool=" call\n')
    assert [m["content"] for m in third["messages"]][-2:] == [
        "I changed the port to 2.",
        "Nothing has been changed yet. Do it now with a tool.",
    ]
    # The tokens of the answer that no one saw count.
    assert result.of("turn_end")[1]["totalTokens"] == 20


def test_mending_by_appending_is_not_done(a3s: Bench, models: Path) -> None:
    (a3s.work / "add.py").write_text("def add(a, b):\n    return a - b\n")
    model = Model.make(
        models,
        "<tool=read>add.py</tool>",
        "<tool=bash>cat >> add.py <<'END'\ndef add(a, b):\n    return a + b\nEND</tool>",
        "<tool=edit>\n<file_path>add.py</file_path>\n<old_string>a - b</old_string>\n"
        "<new_string>a + b</new_string>\n</tool>",
        "I fixed add.py.",
    )
    result = run(a3s, model, "Fix the bug in add.py")
    assert (a3s.work / "add.py").read_text() == "def add(a, b):\n    return a + b\n"
    assert [name for name, _ in calls(result)] == ["read", "edit"]


def test_a_copy_into_a_directory_that_is_missing_is_tried_again(a3s: Bench, models: Path) -> None:
    (a3s.work / "a.csv").write_text("x,y\n")
    model = Model.make(
        models,
        "<tool=bash>cp a.csv kept/a.csv</tool>",
        "There is no file kept/a.csv.",
        "<tool=bash>mkdir kept && cp a.csv kept/a.csv</tool>",
        "I copied it.",
    )
    result = run(a3s, model, "Copy a.csv to kept/a.csv")
    assert (a3s.work / "kept/a.csv").read_text() == "x,y\n"
    assert result.text == "I copied it."
    assert "kept/a.csv does not exist yet." in model.asked[2]["messages"][-1]["content"]


def test_what_is_extracted_is_not_an_empty_file(a3s: Bench, models: Path) -> None:
    (a3s.work / "mail.txt").write_text("otter 12\nheron\n")
    model = Model.make(
        models,
        "<tool=bash>touch n.txt</tool>",
        "I wrote n.txt.",
        "<tool=bash>grep -o '[0-9]*' mail.txt > n.txt</tool>",
        "n.txt has the numbers.",
    )
    result = run(a3s, model, "Extract all numbers from mail.txt into n.txt")
    call = callable_first(model)
    assert '"bash>"' in call and '"edit>"' not in call
    assert (a3s.work / "n.txt").read_text() == "12\n"
    assert "n.txt is still empty." in model.asked[2]["messages"][-1]["content"]
    assert result.text == "n.txt has the numbers."


def test_a_program_that_was_made_and_fails_is_mended(a3s: Bench, models: Path) -> None:
    model = Model.make(
        models,
        "<tool=write>\n<file_path>j.py</file_path>\n<content>print(1 / 0)\n</content>\n</tool>",
        "<tool=bash>python3 j.py</tool>",
        "j.py failed.",
        "<tool=edit>\n<file_path>j.py</file_path>\n<old_string>1 / 0</old_string>\n"
        "<new_string>1</new_string>\n</tool>",
        "j.py prints 1.",
    )
    result = run(a3s, model, "Create j.py that prints 1.")
    assert (a3s.work / "j.py").read_text() == "print(1)\n"
    assert "j.py does not work yet." in model.asked[3]["messages"][-1]["content"]
    assert "failed" not in result.text


def test_a_file_whose_name_is_searched_for_is_read(a3s: Bench, models: Path) -> None:
    (a3s.work / "app.log").write_text("connection refused\n")
    model = Model.make(models, "<tool=grep>app.log</tool>", "It is line 1.")
    result = run(a3s, model, "Which line of app.log mentions a refused connection?")
    assert calls(result) == [("read", {"file_path": "app.log"})]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Where is the file called b.toml?", ("glob", {"pattern": "**/b.toml"})),
        ("Which file mentions b.toml?", ("grep", {"pattern": "b.toml"})),
    ],
)
def test_a_file_that_is_looked_for_is_found_by_its_name(
    a3s: Bench, models: Path, prompt: str, expected: tuple[str, object]
) -> None:
    model = Model.make(models, "<tool=grep>b.toml</tool>", *["It is there."] * 2)
    assert calls(run(a3s, model, prompt))[0] == expected


def test_variants_of_one_pipe_come_to_an_end(a3s: Bench, models: Path) -> None:
    (a3s.work / "a.txt").write_text("x")
    variants = [f"<tool=bash>grep -{flag} zz a.txt | wc -l</tool>" for flag in "cinvE"]
    model = Model.make(models, *variants[:3], "It does not occur.")
    result = run(a3s, model, "How often does zz occur in a.txt?")
    assert len(calls(result)) == 3
    assert "call ::=" not in model.asked[3]["grammar"]
    assert result.last["text"].startswith("It does not occur.")


def test_a_file_is_read_before_it_is_overwritten(a3s: Bench, models: Path) -> None:
    (a3s.work / "a.txt").write_text("old")
    write = "<tool=write>\n<file_path>a.txt</file_path>\n<content>new</content>\n</tool>"
    model = Model.make(models, write, write, "Done.")
    result = run(a3s, model, "Put new into a.txt")
    assert [name for name, _ in calls(result)] == ["read", "write"]
    assert (a3s.work / "a.txt").read_text() == "new"


def test_what_is_not_there_is_to_be_said(a3s: Bench, models: Path) -> None:
    model = Model.make(models, "<tool=read>zz.txt</tool>", "There is no file zz.txt.")
    run(a3s, model, "What does zz.txt say?")
    told = model.asked[1]["messages"][-1]["content"]
    assert told == "It failed:\nzz.txt does not exist\nSay so, unless you can find it."


def test_instructions_that_are_too_long_are_cut_and_it_is_said(a3s: Bench, models: Path) -> None:
    line = "Write everything in the style of the house, and name all things well.\n"
    (a3s.work / "AGENTS.md").write_text(line * 430)
    model = Model.make(models, "Hello.")
    result = run(a3s, model, "Say hello")
    (notice,) = [n for n in result.of("notice") if n["code"] == "instructions_unread"]
    assert notice["text"].startswith("AGENTS.md is too long for qwen2.5-coder-1.5b: of its 30,")
    sent = model.asked[0]["messages"][-1]["content"]
    assert sent.count(line) == 37
    assert sent.endswith("\n\nSay hello")


def test_what_is_left_over_of_a_change_is_asked_for(a3s: Bench, models: Path) -> None:
    (a3s.work / "shop.py").write_text("def otter(n):\n    return n\n\n\nprint(otter(6))\n")
    edits = [
        f"<tool=edit>\n<file_path>shop.py</file_path>\n<old_string>{old}</old_string>\n"
        f"<new_string>{new}</new_string>\n</tool>"
        for old, new in (("def otter", "def heron"), ("print(otter", "print(heron"))
    ]
    answers = ("<tool=read>shop.py</tool>", edits[0], "I renamed it.", edits[1], "It is heron now.")
    model = Model.make(models, *answers)
    result = run(a3s, model, "Rename the function otter to heron in shop.py")
    assert (a3s.work / "shop.py").read_text().count("heron") == 2
    assert result.last["text"] == "It is heron now."
    assert model.asked[3]["messages"][-1]["content"] == (
        "otter still occurs in shop.py, line 5: print(otter(6))\nChange that, too, with a tool."
    )


def test_a_question_about_one_file_begins_with_reading_it(a3s: Bench, models: Path) -> None:
    (a3s.work / "settings.json").write_text('{"port": 4711}\n')
    model = Model.make(models, "<tool=read>settings.json</tool>", "The port is 4711.")
    run(a3s, model, "Which port is in settings.json?")
    call = callable_first(model)
    assert call == 'call ::= "read>" to-tool-0'


def test_a_number_that_nothing_printed_is_asked_for_again_unseen(a3s: Bench, models: Path) -> None:
    (a3s.work / "log.txt").write_text("x\n" * 17)
    model = Model.make(
        models,
        "<tool=bash>wc -l < log.txt</tool>",
        "log.txt has 71 lines.",
        "log.txt has 17 lines.",
    )
    result = run(a3s, model, "How many lines does log.txt have?")
    assert result.last["text"] == "log.txt has 17 lines."
    assert "71" not in "".join(event["text"] for event in result.of("text_delta"))
    assert "call ::=" not in model.asked[2]["grammar"]


def test_what_was_to_be_run_as_well_is_run(a3s: Bench, models: Path) -> None:
    write = "<tool=write>\n<file_path>a.py</file_path>\n<content>print(6 * 7)</content>\n</tool>"
    answers = (write, "It prints 6 * 7.", "<tool=bash>python3 a.py</tool>", "It printed: 42")
    model = Model.make(models, *answers)
    result = run(a3s, model, "Create a.py that prints 6 times 7 and run it")
    assert [name for name, _ in calls(result)] == ["write", "bash"]
    assert result.last["text"] == "It printed: 42"


def test_a_look_at_a_name_out_of_nowhere_is_a_look_around(a3s: Bench, models: Path) -> None:
    (a3s.work / "otter.txt").write_text("x")
    model = Model.make(models, "<tool=ls>img</tool>", "It is about otter.txt.")
    result = run(a3s, model, "What does this project do?")
    assert calls(result) == [("ls", {"path": "."})]


def test_a_small_file_is_written_anew_where_an_edit_has_failed(a3s: Bench, models: Path) -> None:
    (a3s.work / "add.py").write_text("def add(a, b):\n    return a - b\n")
    edit = (
        "<tool=edit>\n<file_path>add.py</file_path>\n<old_string>a  -  c</old_string>\n"
        "<new_string>a + b</new_string>\n</tool>"
    )
    write = (
        "<tool=write>\n<file_path>add.py</file_path>\n"
        "<content>\ndef add(a, b):\n    return a + b\n</content>\n</tool>"
    )
    model = Model.make(models, "<tool=read>add.py</tool>", edit, write, "I fixed it.")
    result = run(a3s, model, "Fix the bug in add.py")
    assert [name for name, _ in calls(result)] == ["read", "edit", "write"]
    rules = [asked["grammar"].split("call ::= ")[1] for asked in model.asked[:3]]
    assert [rule.split(">")[0] for rule in rules] == ['"read', '"edit', '"write']
    assert (a3s.work / "add.py").read_text() == "def add(a, b):\n    return a + b\n"


def test_a_fault_of_syntax_is_named_until_it_is_gone(a3s: Bench, models: Path) -> None:
    (a3s.work / "loop.py").write_text("for i in range(2)\n    print(i)\n")
    edits = [
        f"<tool=edit>\n<file_path>loop.py</file_path>\n<old_string>{old}</old_string>\n"
        f"<new_string>{new}</new_string>\n</tool>"
        for old, new in (("range(2)", "range(3)"), ("range(3)", "range(2):"))
    ]
    model = Model.make(models, "<tool=read>loop.py</tool>", edits[0], "Done.", edits[1], "Fixed.")
    result = run(a3s, model, "Fix loop.py so that it runs")
    fault = "loop.py has a syntax error in line 1: expected ':': for i in range("
    told = [asked["messages"][-1]["content"] for asked in model.asked]
    assert [fault in text for text in told] == [False, True, False, True, False]
    assert (result.last["text"], (a3s.work / "loop.py").read_text()) == (
        "Fixed.",
        "for i in range(2):\n    print(i)\n",
    )


def test_a_command_that_changes_nothing_is_no_change(a3s: Bench, models: Path) -> None:
    (a3s.work / "names.txt").write_text("b\na\n")
    sort = (
        "<tool=bash>sort names.txt | head</tool>",
        "<tool=bash>sort -o names.txt names.txt</tool>",
    )
    model = Model.make(models, sort[0], "names.txt is sorted.", sort[1], "It is sorted now.")
    result = run(a3s, model, "Sort the lines of names.txt")
    assert (a3s.work / "names.txt").read_text() == "a\nb\n"
    assert result.last["text"] == "It is sorted now."


def test_words_are_refused_so_often_and_not_more(a3s: Bench, models: Path) -> None:
    (a3s.work / "a.txt").write_text("a\n")
    looks = [f"<tool=bash>{program} a.txt</tool>" for program in ("cat", "wc", "head")]
    answers = [text for look in looks for text in ("It is done.", look)]
    model = Model.make(models, "<tool=bash>ls</tool>", *answers, "It was done.")
    result = run(a3s, model, "Sort the lines of a.txt")
    assert len(calls(result)) == 4
    assert result.last["text"].startswith("It was done.")


def test_a_file_that_was_to_be_made_has_to_be_there(a3s: Bench, models: Path) -> None:
    (a3s.work / "log.txt").write_text("a 12\nb 7\n")
    copy = "<tool=bash>touch other.txt</tool>"
    right = "<tool=bash>grep -oE '[0-9]+' log.txt > nums.txt</tool>"
    model = Model.make(models, copy, "I saved them.", right, "They are in nums.txt.")
    result = run(a3s, model, "Save the numbers in log.txt to nums.txt")
    assert (a3s.work / "nums.txt").read_text() == "12\n7\n"
    assert model.asked[2]["messages"][-1]["content"] == (
        "nums.txt does not exist yet.\nMake it now with a tool."
    )
    assert result.last["text"] == "They are in nums.txt."


def test_how_a_program_fails_is_an_answer(a3s: Bench, models: Path) -> None:
    (a3s.work / "a.py").write_text("print({}['tea'])\n")
    model = Model.make(models, "<tool=bash>python3 a.py</tool>", "A key is not there.")
    result = run(a3s, model, "Why does a.py fail?")
    assert model.asked[1]["grammar"].startswith('root ::= "<" text-1')
    assert (
        result.last["text"]
        == "A key is not there.\n\n" + result.of("tool_end")[0]["toolOutput"].strip()
    )
