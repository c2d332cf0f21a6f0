"""The page for everyone: with the keyboard alone, with a screen reader, on a phone."""

from __future__ import annotations

import threading

from playwright.sync_api import expect

from ...support.replies import Reply, a_call, bash, text
from ..serving import Host
from .conftest import Open

TREE = """
- banner:
  - heading "a3s" [level=1]
  - text: work · openai/test-model
  - button "New"
  - button "Keyboard shortcuts": "?"
- navigation "Sessions":
  - heading "Sessions" [level=2]
  - searchbox "Search the sessions"
  - list:
    - listitem:
      - link "Go. now · 2 turns · 30 tokens"
      - 'button "Delete Go."'
- main:
  - log "Conversation":
    - heading "Go." [level=2]
    - group:
      - text: bash
      - code: echo one
      - text: /exit 0 · .* s/
      - region "Output of bash":
        - code: one
      - button "Copy"
    - heading "Here" [level=3]
    - paragraph: All done.
    - text: /1 call · .* s · 30 tokens/
    - button "Copy"
- form "Prompt":
  - paragraph:
    - status
  - textbox "Prompt":
    - /placeholder: Ask a question or give a task
  - alert
  - button "Attach files": +
  - combobox "Model":
    - option "openai/test-model" [selected]
  - 'button "{ } Object"'
  - button "Send"
"""

ASKING = """
- log "Conversation":
  - heading "Go." [level=2]
  - group:
    - text: bash
    - code: touch one
    - text: waiting for you
    - group "May bash run?":
      - paragraph: No rule covers this call. May it run?
      - button "Allow once Alt Y"
      - button "Always in this run Alt A"
      - button "No Alt N"
"""


def test_the_accessibility_tree(host: Host, open_page: Open) -> None:
    script = [bash("echo one"), text("# Here\nAll done.")]
    chat = open_page(host.serve(script, "--allow", "bash"))
    chat.ask("Go.")
    expect(chat.page.locator("nav .facts")).to_have_text("now · 2 turns · 30 tokens")
    expect(chat.page.locator("body")).to_match_aria_snapshot(TREE)
    run = chat.page.locator(".run")
    # It is read out when it is complete.
    expect(run).to_have_attribute("aria-busy", "false")


def test_a_question_is_announced(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([bash("touch one"), text("Done.")]))
    chat.send("Go.")
    expect(chat.status).to_have_text("Waiting for you: may bash run?")
    expect(chat.log).to_match_aria_snapshot(ASKING)
    expect(chat.page.locator(".run")).to_have_attribute("aria-busy", "true")
    # A user who is writing does not answer by accident.
    expect(chat.prompt).to_be_focused()
    chat.page.keyboard.press("Alt+n")
    expect(chat.ends).to_have_count(1)


def test_the_keyboard_alone(host: Host, open_page: Open) -> None:
    script = [
        *(bash(f"touch {name}") for name in ("one", "two", "three", "four")),
        text("Done."),
        text("Again."),
    ]
    chat = open_page(host.serve(script))
    keys = chat.page.keyboard
    keys.type("line one")
    keys.press("Shift+Enter")
    keys.type("line two")
    expect(chat.prompt).to_have_value("line one\nline two")
    keys.press("Enter")
    outcomes = chat.page.locator(".call .outcome")
    expect(outcomes).to_have_text(["waiting for you"])
    keys.press("Alt+y")
    expect(outcomes.nth(1)).to_have_text("waiting for you")
    keys.press("Alt+n")
    expect(outcomes.nth(2)).to_have_text("waiting for you")
    # By tabbing backwards from the prompt: No, Always, Once.
    for _ in range(3):
        keys.press("Shift+Tab")
    expect(chat.button("Allow once")).to_be_focused()
    keys.press("Enter")
    expect(outcomes.nth(3)).to_have_text("waiting for you")
    keys.press("Alt+a")
    expect(chat.ends).to_have_count(1)
    assert [head.split()[0] for head in chat.heads()] == ["✓", "⊘", "✓", "✓"]
    keys.press("Alt+i")
    expect(chat.prompt).to_be_focused()
    keys.press("ArrowUp")
    expect(chat.prompt).to_have_value("line one\nline two")
    keys.press("Enter")
    expect(chat.said).to_have_text(["Done.", "Again."])
    # A new session, and back to the first one through the list.
    keys.press("Alt+k")
    expect(chat.said).to_have_count(0)
    expect(chat.prompt).to_be_focused()
    keys.press("Alt+l")
    link = chat.page.locator("nav a")
    expect(link).to_be_focused()
    keys.press("Enter")
    expect(chat.said).to_have_text(["Done.", "Again."])


def test_the_shortcuts_can_be_looked_up(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text("unused")]))
    chat.button("Keyboard shortcuts").click()
    dialog = chat.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Alt Y, A, N  allow once, always, no")
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


WIDE = f"""A {"very" * 60} long word, https://a.example/{"path" * 60}, and `{"code" * 60}`.

| {" | ".join(f"column {number}" for number in range(12))} |
|{"---|" * 12}
| {" | ".join("x" * 30 for _ in range(12))} |

```
{"x = " * 100}
```
"""


def test_a_phone(host: Host, open_page: Open) -> None:
    long = "echo " + "a/very/long/path/" * 20
    script = [
        Reply((a_call("bash", {"command": long}), a_call("read", {"file_path": "p" * 300}))),
        bash("rm " + "q" * 300),
        text(WIDE),
    ]
    serving = host.serve(script, "--allow", "bash(echo *)")
    chat = open_page(
        serving, viewport={"width": 320, "height": 640}, has_touch=True, is_mobile=True
    )
    chat.prompt.fill("Wide " * 50)
    chat.button("Send").tap()
    chat.button("No").tap()
    expect(chat.ends).to_have_count(1)
    assert chat.page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [320, 320]
    # The end is in view, above the prompt.
    expect(chat.ends).to_be_in_viewport()
    expect(chat.prompt).to_be_in_viewport()
    # The list is a drawer.
    expect(chat.page.get_by_role("navigation")).to_be_hidden()
    chat.button("Sessions").tap()
    chat.page.locator("nav a").tap()
    expect(chat.page.get_by_role("navigation")).to_be_hidden()


def test_it_follows_the_end_unless_somebody_reads(host: Host, open_page: Open) -> None:
    gate, last = threading.Event(), threading.Event()
    line = "word " * 20 + "\n\n"
    script = [text(line * 60, gate, line * 60, last, line * 5)]
    chat = open_page(host.serve(script))
    chat.send("Go.")
    expect(chat.said.locator("p")).to_have_count(60)
    left = "document.documentElement.scrollHeight - innerHeight - scrollY"
    chat.page.wait_for_function(f"{left} < 2")
    chat.page.mouse.move(500, 300)
    chat.page.mouse.wheel(0, -2000)
    expect(chat.button("Latest ↓")).to_be_visible()
    at = chat.page.evaluate("scrollY")
    gate.set()
    expect(chat.said.locator("p")).to_have_count(120)
    assert chat.page.evaluate("scrollY") == at
    chat.button("Latest ↓").click()
    last.set()
    expect(chat.ends).to_have_count(1)
    chat.page.wait_for_function(f"{left} < 2")
