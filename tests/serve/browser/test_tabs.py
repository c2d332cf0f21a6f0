"""Ten tabs with ten runs in one browser: none of them keeps another from its buttons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from ...support.replies import bash, text
from ..serving import Host
from .chromium import HANG, Chat

TABS = 10


@pytest.fixture
def profile(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(HANG)
    yield context
    context.close()


def test_ten_tabs_with_ten_runs(host: Host, profile: BrowserContext) -> None:
    wait = "echo waiting; until [ -e go ]; do sleep 0.05; done"
    left = TABS - 1  # one of them is stopped
    script = [*[bash(wait)] * TABS, *[bash("touch asked")] * left, *[text("Done.")] * left]
    serving = host.serve(script, "--allow", "bash", "--ask", "bash(touch *)")
    tabs = [Chat(profile.new_page(), serving) for _ in range(TABS)]
    for number, tab in enumerate(tabs):
        tab.send(f"Run {number}")
    for tab in tabs:
        expect(tab.page.locator(".output")).to_have_text("waiting\n")
    # While all ten run, one is reloaded and one is stopped.
    tabs[8].page.reload()
    expect(tabs[8].page.locator(".output")).to_have_text("waiting\n")
    tabs[9].page.keyboard.press("Escape")
    expect(tabs[9].failures).to_have_count(1)
    (host.bench.work / "go").touch()
    for tab in tabs[:9]:
        expect(tab.button("Allow once")).to_be_visible()
    for tab in tabs[:9]:
        tab.button("Allow once").click()
        expect(tab.ends).to_have_count(1)
        expect(tab.said).to_have_text("Done.")
    assert [fault for tab in tabs for fault in tab.faults] == []


def test_an_idle_tab_shows_what_another_does(host: Host, profile: BrowserContext) -> None:
    serving = host.serve([text("One."), text("Two."), text("Three.")])
    first, second = (Chat(profile.new_page(), serving) for _ in range(2))
    first.ask("Begin")
    second.page.goto(first.page.url)
    expect(second.said).to_have_text("One.")
    first.ask("Go on")
    expect(second.said).to_have_text(["One.", "Two."])
    second.ask("And on")
    expect(first.said).to_have_text(["One.", "Two.", "Three."])
    assert second.page.locator(".prompt").all_inner_texts() == ["Begin", "Go on", "And on"]
    assert first.faults == second.faults == []
