"""Make the README's pictures of the page anew: `python -m tests.serve.browser.screenshots`.

A real server, a real browser and a scripted model, so that they show what there is. With the
Inter and JetBrains Mono fonts installed they look as they do in the README.
"""

from __future__ import annotations

import os
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from ...support.a3s import Bench
from ...support.replies import Reply, a_call, reasoning, text
from ..serving import Host, Serving
from .chromium import Chat, chromium

DOCS = Path(__file__).parents[3] / "docs"
HELLO = 'def greet(name):\n    return f"Hello, {name}!"\n'
FIXED = 'def greet(name="world"):\n    return f"Hello, {name or \'world\'}!"\n'
ANSWER = """Two things, and both are small:

| where | what is wrong | since |
|---|---|--:|
| `hello.py:2` | `greet(None)` says **Hello, None!** | 2 days |
| `test_hello.py` | never calls it with *nothing* | 2 days |

Give `name` a default, and the test has a reason to exist:

```python
def greet(name="world"):
    return f"Hello, {name or 'world'}!"
```

I was not allowed to look at the history, so the dates are those of the files.
"""
MODEL = ("-m", "openai/gpt-5-mini-2025-08-07")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "risk": {"type": "number"},
        "findings": {"type": "array", "items": {"type": "object"}},
        "next": {"type": "string"},
    },
    "required": ["title", "risk", "findings", "next"],
}
OBJECT = """{"title": "Greeting without a name", "risk": 0.2, "findings": [
{"file": "hello.py", "line": 2, "says": "greets None by its name"},
{"file": "test_hello.py", "line": 5, "says": "covers one name only"}],
"next": "Give `name` a default, then call it """


def main() -> None:
    """Make all three."""
    os.environ.update(BENCH_SUITE=uuid.uuid4().hex, A3S_PROOFS="100")
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        bench = Bench(Path(directory))
        host = Host(bench)
        try:
            for name, content in {"hello.py": HELLO, "test_hello.py": "…\n" * 6}.items():
                (bench.work / name).write_text(content)
            for make in (light, dark, phone):
                make(host, browser)
        finally:
            host.close()
            bench.close()


def page(browser: Browser, serving: Serving, scheme: Any, width: int, height: int) -> Chat:
    """Open the page as wide and as dark as it is to be seen."""
    size: Any = {"width": width, "height": height}
    return Chat(browser.new_page(viewport=size, color_scheme=scheme), serving)


def save(chat: Chat, name: str) -> None:
    """Keep what is seen, when nothing moves any more."""
    chat.page.emulate_media(reduced_motion="reduce")
    chat.page.screenshot(path=DOCS / f"{name}.png")
    chat.page.context.close()


def light(host: Host, browser: Browser) -> None:
    """A run that is over, beside earlier ones."""
    looks = Reply(
        (a_call("bash", {"command": "wc -l *.py"}), a_call("read", {"file_path": "hello.py"}))
    )
    script = [
        *(text("Yes.") for _ in range(3)),
        reasoning("What is here comes first.", *looks.pieces),
        Reply((a_call("bash", {"command": "git log --oneline -5"}),)),
        text(ANSWER),
    ]
    serving = host.serve(script, "--allow", "bash(wc *)", "--deny", "bash(git *)", *MODEL)
    for prompt in ("Explain the greeting", "Which tests are slow?", "Is the README up to date?"):
        serving.ask(prompt)
    chat = page(browser, serving, "light", 1200, 900)
    chat.ask("What would you fix first?")
    save(chat, "page-light")


def dark(host: Host, browser: Browser) -> None:
    """A question: may this file be changed?"""
    change = {"file_path": "hello.py", "old_string": HELLO, "new_string": FIXED}
    script = [
        Reply(("I'll give `name` a default.", a_call("edit", change))),
        text("Done: **Hello, world!**"),
    ]
    chat = page(browser, host.serve(script, *MODEL), "dark", 1200, 640)
    chat.send("Fix it.")
    expect(chat.button("Allow once")).to_be_visible()
    save(chat, "page-dark")
    # The answer is not waited for.


def phone(host: Host, browser: Browser) -> None:
    """An object that grows."""
    gate = threading.Event()
    serving = host.serve([text(OBJECT, gate, 'with nothing."}')], "--tools", "none", *MODEL)
    chat = page(browser, serving, "light", 390, 700)
    chat.page.locator("#shaped").click()
    chat.page.locator("#schema").fill(str(SCHEMA).replace("'", '"'))
    chat.send("Report on the greeting.")
    chat.page.locator("#shaped").click()
    expect(chat.page.locator(".key").last).to_have_text("next")
    save(chat, "page-phone")
    gate.set()


if __name__ == "__main__":
    main()
