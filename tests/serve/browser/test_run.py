"""A run in the page: what it says and does, what it may, how it ends."""

from __future__ import annotations

import json
import threading

from playwright.sync_api import APIResponse, Route, expect

from ...support.replies import Call, a_call, bash, calls, error, reasoning, text
from ..serving import Host
from .chromium import HANG
from .conftest import Open

REPORT = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "findings": {"type": "array", "items": {"type": "string"}},
        "score": {"type": "integer"},
    },
    "required": ["title", "findings", "score"],
    "additionalProperties": False,
}


def test_a_run_with_a_tool(host: Host, open_page: Open) -> None:
    script = [
        reasoning("List first.", a_call("bash", {"command": "echo one; echo two"})),
        text("There are **tw", "o** lines."),
    ]
    chat = open_page(host.serve(script, "--allow", "bash"))
    chat.ask("How many lines?")
    assert chat.heads()[0].startswith("✓ bash echo one; echo two exit 0 · ")
    expect(chat.page.get_by_role("region", name="Output of bash")).to_have_text("one\ntwo\n")
    expect(chat.page.locator(".prompt")).to_have_text("How many lines?")
    expect(chat.said.locator("p")).to_have_text("There are two lines.")
    expect(chat.said.locator("strong")).to_have_text("two")
    expect(chat.prompt).to_be_focused()
    expect(chat.prompt).to_have_value("")
    # What was thought is there, folded.
    thought = chat.page.locator(".thought div")
    expect(thought).to_be_hidden()
    chat.page.locator(".thought summary").click()
    expect(thought).to_have_text("List first.")
    assert chat.ends.inner_text().split(" · ")[0] == "1 call"
    expect(chat.status).to_have_text("")
    expect(chat.page.locator("#where")).to_have_text("work · openai/test-model")


def test_the_list_shows_the_last_that_was_asked_for(host: Host, open_page: Open) -> None:
    """The answer of the beginning arrives after the one of the end."""
    gate = threading.Event()
    chat = open_page(host.serve([text("a", gate, "b")]))
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    facts = chat.page.locator("nav .facts")
    chat.page.route("**/api/sessions", hold)
    chat.send("Go.")
    expect(chat.said).to_have_text("a")
    for _ in range(HANG // 10):
        if held:
            break
        chat.page.wait_for_timeout(10)
    assert b'"live":true' in held[0][1].body()
    gate.set()
    expect(facts).to_contain_text("now · 1 turn · ")
    route, answer = held[0]
    with chat.page.expect_response("**/api/sessions") as told:
        route.fulfill(response=answer)
    assert b'"live":true' in told.value.body()
    expect(facts).to_contain_text("now · 1 turn · ")


def test_output_is_shown_while_the_tool_runs(host: Host, open_page: Open) -> None:
    script = [bash("echo first; until [ -e go ]; do sleep 0.05; done; echo last"), text("Done.")]
    chat = open_page(host.serve(script, "--allow", "bash"))
    chat.send("Run it.")
    expect(chat.page.locator(".output")).to_have_text("first\n")
    expect(chat.page.locator(".call .outcome")).to_have_text("running")
    expect(chat.status).to_have_text("Running bash")
    (host.bench.work / "go").touch()
    expect(chat.ends).to_have_count(1)
    expect(chat.page.locator(".output")).to_have_text("first\nlast\n")


def test_calls_that_fail_or_do_not_run(host: Host, open_page: Open) -> None:
    script = [
        calls(
            a_call("bash", {"command": "echo no >&2; exit 3"}),
            a_call("bash", {"command": "rm hello.py"}),
            a_call("no_such_tool", {"x": 1}),
            a_call("read", '{"file_path": 7}'),
            a_call("read", {"file_path": "missing.py"}),
        ),
        text("So it goes."),
    ]
    serving = host.serve(
        script, "--allow", "bash(echo *)", "--allow", "bash(exit *)", "--deny", "bash(rm *)"
    )
    chat = open_page(serving)
    chat.ask("Try.")
    assert {head.split(" · ")[0] for head in chat.heads()} == {
        "✗ bash echo no >&2; exit 3 exit 3",
        "✗ read missing.py failed",
        "⊘ bash rm hello.py denied",
        "⊘ no_such_tool rejected: unknown tool",
        "⊘ read rejected: invalid arguments",
    }
    denied = chat.cards.filter(has_text="rm hello.py")
    expect(denied.locator(".body")).to_contain_text("is denied by bash(rm *)")


def test_an_approval_by_hand(host: Host, open_page: Open) -> None:
    script = [bash("touch one; cat <<E\nheld\nE"), bash("touch two"), text("Both asked.")]
    chat = open_page(host.serve(script))
    chat.send("Do it.")
    question = chat.page.get_by_role("group", name="May bash run?")
    expect(question).to_contain_text("No rule covers this call.")
    # All that would run is shown, and has not run.
    expect(chat.cards.locator("dd")).to_have_text("touch one; cat <<E\nheld\nE")
    assert list(host.bench.work.iterdir()) == []
    assert chat.page.title() == "? Do it. — a3s"
    question.get_by_role("button", name="Allow once").click()
    expect(chat.cards.nth(0).locator(".outcome")).to_contain_text("exit 0")
    # That was once: the next one asks again, and is refused.
    question.get_by_role("button", name="No").click()
    expect(chat.ends).to_have_count(1)
    assert [path.name for path in host.bench.work.iterdir()] == ["one"]
    assert [head.split()[0] for head in chat.heads()] == ["✓", "⊘"]
    assert chat.page.title() == "Do it. — a3s"


def test_always_is_for_this_run(host: Host, open_page: Open) -> None:
    script = [bash("touch one"), bash("touch one"), text("Done."), bash("touch one"), text("Done.")]
    chat = open_page(host.serve(script))
    chat.send("Twice.")
    chat.button("Always in this run").click()
    expect(chat.ends).to_have_count(1)
    assert [head.split()[0] for head in chat.heads()] == ["✓", "✓"]
    chat.send("Again.")
    chat.button("No").click()
    expect(chat.ends).to_have_count(2)


def test_always_covers_what_the_question_says(host: Host, open_page: Open) -> None:
    """A file's next changes, whatever they are; no other file, and no other tool."""
    place = host.bench.work / "a.txt"

    def edit(old: str, new: str) -> Call:
        return a_call("edit", {"file_path": "a.txt", "old_string": old, "new_string": new})

    place.write_text("one\n")
    write = a_call("write", {"file_path": "a.txt", "content": "four\n"})
    script = [*(calls(one) for one in (edit("one", "two"), edit("two", "three"), write)), text("K")]
    chat = open_page(host.serve(script))
    chat.send("Change it twice, then write it anew.")
    question = chat.page.get_by_role("group", name="May edit run?")
    expect(question).to_contain_text(f"“Always in this run” covers: every edit of {place}")
    chat.button("Always in this run").click()
    question = chat.page.get_by_role("group", name="May write run?")
    expect(question).to_contain_text(f"“Always in this run” covers: every write of {place}")
    assert place.read_text() == "three\n"
    chat.button("No").click()
    expect(chat.ends).to_have_count(1)
    assert [head.split()[:2] for head in chat.heads()] == [
        ["✓", "edit"], ["✓", "edit"], ["⊘", "write"],
    ]  # fmt: skip


def test_cancel_and_try_again(host: Host, open_page: Open) -> None:
    script = [bash("touch begun; sleep 60"), text("This time.")]
    chat = open_page(host.serve(script, "--allow", "bash"))
    chat.send("Wait.")
    expect(chat.page.locator(".call .outcome")).to_have_text("running")
    chat.page.keyboard.press("Escape")
    expect(chat.failures.locator("p").first).to_have_text("Cancelled.")
    expect(chat.failures.locator(".facts")).to_have_text("cancelled · exit 130")
    assert chat.heads()[0].startswith("✗ bash touch begun; sleep 60 cancelled · ")
    chat.button("Try again").click()
    expect(chat.ends).to_have_count(1)
    expect(chat.said).to_have_text("This time.")
    assert chat.page.locator(".prompt").all_inner_texts() == ["Wait.", "Wait."]
    # Only the last run can be tried again.
    expect(chat.button("Try again")).to_have_count(0)


def test_a_failure_says_what_to_do(host: Host, open_page: Open) -> None:
    script = [error(401), text("Now.")]
    chat = open_page(host.serve(script))
    chat.send("Go.")
    alert = chat.page.get_by_role("alert").filter(has=chat.page.locator(".facts"))
    expect(alert).to_be_visible()
    session = chat.serving.client.get("/api/sessions").json()[0]["id"]
    with chat.serving.events(session) as stream:
        told = stream.whole()[-1]
    assert alert.locator("p").all_inner_texts() == [
        told["error"],
        told["hint"],
        "auth · openai · HTTP 401 · exit 77",
    ]
    chat.button("Try again").click()
    expect(chat.said).to_have_text("Now.")


def test_a_retry_voids_what_was_thought(host: Host, open_page: Open) -> None:
    script = [
        reasoning("In vain.", ending="end"),
        reasoning("Again.", "Fine."),
    ]
    chat = open_page(host.serve(script))
    chat.ask("Go.")
    assert chat.page.locator(".thought div").all_text_contents() == ["Again."]
    expect(chat.page.locator(".notice")).to_contain_text("attempt 2 of")


def test_an_object_grows(host: Host, open_page: Open) -> None:
    gate, last = threading.Event(), threading.Event()
    script = [text('{"title": "hel', gate, 'lo.py", "findings": ["a",', last, ' "b"], "score": 7}')]
    chat = open_page(host.serve(script, "--tools", "none"))
    chat.button("{ } Object").click()
    schema = chat.page.get_by_role("textbox", name="Answer with JSON that matches this JSON Schema")
    schema.fill('{"type": "object"')
    chat.send("Report.")
    # What is no JSON is not sent.
    expect(chat.page.locator("#wrong")).to_contain_text("Not valid JSON: ")
    expect(schema).to_be_focused()
    schema.fill(json.dumps(REPORT))
    chat.prompt.press("Enter")
    tree = chat.page.locator(".tree > .value")
    expect(tree.locator(".key")).to_have_text(["title"])
    expect(tree.locator(".string")).to_have_text(["hel"])
    first = tree.locator(".string").first.element_handle()
    gate.set()
    expect(tree.locator(".key")).to_have_text(["title", "findings"])
    expect(tree.locator(".string")).to_have_text(["hello.py", "a"])
    # It is the same node that has grown.
    assert first.text_content() == "hello.py"
    last.set()
    expect(chat.ends).to_have_count(1)
    assert tree.locator(".value").all_text_contents() == ["hello.py", "ab", "a", "b", "7"]
    assert chat.heads()[0].startswith("✓ generate_object done · ")


def test_what_is_said_meanwhile_is_for_its_next_turn(host: Host, open_page: Open) -> None:
    gate = threading.Event()
    chat = open_page(host.serve([text("al", gate, "most"), text("done")]))
    chat.send("Go.")
    expect(chat.said).to_have_text("al")
    expect(chat.prompt).to_have_attribute("placeholder", "Send a message for the next turn")
    with chat.page.expect_response("**/steer"):
        chat.prompt.fill("More.")
        chat.prompt.press("Enter")
    gate.set()
    expect(chat.ends).to_have_count(1)
    expect(chat.page.locator(".steered")).to_have_text("More.")
    assert chat.said.all_inner_texts()[-1] == "done"
    expect(chat.page.locator(".prompt")).to_have_count(1)
