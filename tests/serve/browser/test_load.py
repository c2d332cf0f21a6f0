"""Much of everything: the page stays whole and in order, and does not stop moving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

import a3s_cli

from ...support.replies import bash, text
from ..serving import Host
from .conftest import Open

PAGE = Path(a3s_cli.__file__).parent / "serve" / "page"

#: In the page: the time between two frames, for as long as it is looked at.
WATCH = """() => {
  window.frames_ = [];
  let last = performance.now();
  const look = (now) => {
    frames_.push(now - last);
    last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def test_it_is_small_and_needs_nothing_from_elsewhere() -> None:
    files = [path for path in PAGE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 89_000
    for path in files:
        content = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in content.replace(r":\/\/", "").replace("https?://", ""), path


def test_ten_thousand_deltas(host: Host, open_page: Open, record_property: Any) -> None:
    words = [
        f"word{number} " if number % 20 else f"**word{number}**\n\n" for number in range(10_000)
    ]
    chat = open_page(host.serve([text(*words)]))
    chat.page.evaluate(WATCH)
    chat.ask("Write.")
    frames = sorted(chat.page.evaluate("frames_"))
    record_property("frames", len(frames))
    record_property("longest_gap_ms", round(frames[-1]))
    print(f"{len(frames)} frames, longest gaps {[round(gap) for gap in frames[-5:]]} ms")
    assert chat.said.text_content() == "".join(words).replace("*", "").replace("\n\n", "")
    expect(chat.said.locator("p")).to_have_count(500 + 1)
    expect(chat.said.locator("strong")).to_have_count(500)


def test_ten_thousand_deltas_of_one_block(host: Host, open_page: Open) -> None:
    lines = [f"line {number}\n" for number in range(5_000)]
    words = [f"w{number} " for number in range(5_000)]
    chat = open_page(host.serve([text("```\n", *lines, "```\n", *words)]))
    chat.ask("Write.")
    assert chat.said.locator("pre").text_content() == "".join(lines)
    assert chat.said.locator("p").text_content() == "".join(words)


def test_long_output_stays_bounded_until_it_is_asked_for(host: Host, open_page: Open) -> None:
    whole = "".join(f"{number}\n" for number in range(1, 100_001))
    chat = open_page(host.serve([bash("seq 100000"), text("Done.")], "--allow", "bash"))
    chat.ask("Count.")
    output = chat.page.locator(".output")
    shown = output.text_content() or ""
    assert whole.endswith(shown) and 1000 < len(shown) < 100_000
    chat.button("Show all output").click()
    assert output.text_content() == whole
