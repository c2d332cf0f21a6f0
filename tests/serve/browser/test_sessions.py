"""The list of sessions: searched, and tidied, and without the noise of single runs."""

from __future__ import annotations

import shutil

from playwright.sync_api import expect

from ...support.replies import text
from ..serving import Host
from .conftest import Open

NAMES = "nav a .title"


def test_search_delete_and_single_runs(host: Host, open_page: Open) -> None:
    serving = host.serve([text("ok")] * 5)
    hostile = "<img src=x onerror=alert(1)>\u202e\x1b[2J"
    for session, prompt in (
        ("talk", "fix it"),
        ("talk", "more"),
        ("one", hostile),
        ("two", "lint"),
    ):
        serving.ask(prompt, sessionId=session)
    chat = open_page(serving)
    page = chat.page
    single = page.locator("nav details")
    expect(single.locator("summary")).to_have_text("2 single runs")
    expect(page.locator("nav div > ol .title")).to_have_text(["fix it"])
    expect(single).not_to_have_attribute("open", "")
    single.locator("summary").click()
    expect(single.locator(".title")).to_have_text(
        ["lint", "<img src=x onerror=alert(1)>⟨202e⟩⟨001b⟩[2J"]
    )
    # Searching finds them without a group.
    search = page.get_by_role("searchbox", name="Search the sessions")
    search.fill("LINT")
    expect(page.locator(NAMES)).to_have_text(["lint"])
    expect(single).to_have_count(0)
    search.fill("nothing like this")
    expect(page.locator("nav")).to_contain_text("No session matches.")
    search.fill("")
    expect(single).to_have_count(1)
    # Deleting takes two presses, and leaving the button in between takes the first one back.
    delete = page.get_by_role("button", name="Delete lint")
    delete.click()
    expect(delete).to_have_text("Delete?")
    search.focus()
    expect(delete).to_have_text("×")
    delete.click()
    delete.click()
    expect(single.locator("summary")).to_have_text("1 single run")
    assert not any("lint" in row["prompt"] for row in serving.client.get("/api/sessions").json())
    # The one that is shown can be deleted as well.
    page.get_by_role("link", name="fix it").click()
    expect(chat.log).to_contain_text("more")
    page.get_by_role("button", name="Delete fix it").click()
    page.get_by_role("button", name="Delete fix it").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(chat.log).to_be_empty()


def test_a_session_that_is_gone(host: Host, open_page: Open) -> None:
    serving = host.serve([text("ok")] * 2)
    serving.ask("a", sessionId="gone")
    serving.ask("b", sessionId="gone")
    page = open_page(serving).page
    shutil.rmtree(host.bench.home / ".local/state/a3s/sessions")
    button = page.get_by_role("button", name="Delete a")
    button.click()
    button.click()
    expect(page.locator("#log")).to_contain_text("there is no session")
