"""Coming back: after a reload, a lost connection, a restart; nothing is lost, nothing twice."""

from __future__ import annotations

import threading

from playwright.sync_api import expect

from ...support.replies import bash, text
from ..serving import Host
from .conftest import Open
from .crossing import Crossing

WORDS = [f"w{number} " for number in range(60)]


def test_a_reload_in_mid_stream(host: Host, open_page: Open) -> None:
    gate = threading.Event()
    script = [
        bash("echo before; until [ -e go ]; do sleep 0.05; done; echo after"),
        text(*WORDS[:30], gate, *WORDS[30:]),
    ]
    chat = open_page(host.serve(script, "--allow", "bash"))
    chat.send("Count.")
    expect(chat.page.locator(".output")).to_have_text("before\n")
    chat.page.reload()
    expect(chat.page.locator(".output")).to_have_text("before\n")
    expect(chat.status).to_have_text("Running bash")
    (host.bench.work / "go").touch()
    expect(chat.said).to_have_text("".join(WORDS[:30]))
    chat.page.reload()
    expect(chat.said).to_have_text("".join(WORDS[:30]))
    # The unsent draft is still there as well.
    chat.prompt.fill("and then")
    chat.page.reload()
    expect(chat.prompt).to_have_value("and then")
    gate.set()
    expect(chat.ends).to_have_count(1)
    expect(chat.said).to_have_text("".join(WORDS))
    expect(chat.page.locator(".output")).to_have_text("before\nafter\n")
    assert chat.page.locator(".prompt").all_inner_texts() == ["Count."]
    assert len(chat.serving.model.requests) == 2


def test_a_question_survives_a_reload(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([bash("touch one"), text("Done.")]))
    chat.send("Go.")
    expect(chat.button("Allow once")).to_be_visible()
    chat.page.reload()
    chat.button("Allow once").click()
    expect(chat.ends).to_have_count(1)
    assert (host.bench.work / "one").exists()


def test_a_connection_that_is_lost_again_and_again(host: Host, open_page: Open) -> None:
    gates = [threading.Event() for _ in range(3)]
    pieces = [*WORDS[:15], gates[0], *WORDS[15:30], gates[1], *WORDS[30:45], gates[2], *WORDS[45:]]
    serving = host.serve([text(*pieces)])
    with Crossing(serving.port) as crossing:
        serving.url = f"http://127.0.0.1:{crossing.port}"
        serving.address = f"{serving.url}/?token={serving.token}"
        chat = open_page(serving)
        chat.send("Count.")
        for number, gate in enumerate(gates, 1):
            expect(chat.said).to_have_text("".join(WORDS[: 15 * number]))
            crossing.cut()
            gate.set()
        expect(chat.ends).to_have_count(1)
        expect(chat.said).to_have_text("".join(WORDS))
        expect(chat.status).to_have_text("")
    assert len(serving.model.requests) == 1


def test_a_prompt_whose_answer_is_lost_is_not_sent_twice(host: Host, open_page: Open) -> None:
    gate = threading.Event()
    serving = host.serve([text("Here.", gate, " Still.")])
    with Crossing(serving.port) as crossing:
        serving.url = f"http://127.0.0.1:{crossing.port}"
        serving.address = f"{serving.url}/?token={serving.token}"
        chat = open_page(serving)
        crossing.hold()
        chat.send("Go.")
        serving.model.wait_for_request()
        # Chromium sends it again by itself; what goes on is the run of the first one.
        crossing.cut()
        expect(chat.said).to_have_text("Here.")
        gate.set()
        expect(chat.ends).to_have_count(1)
        expect(chat.said).to_have_text("Here. Still.")
        assert chat.page.locator(".prompt").all_inner_texts() == ["Go."]
    assert len(serving.model.requests) == 1


def test_sessions_are_listed_and_gone_on_with(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text("One."), text("Two."), text("Three.")]))
    chat.ask("First")
    chat.ask("More")
    chat.button("New").click()
    expect(chat.said).to_have_count(0)
    chat.ask("Second")
    titles = chat.page.locator("nav .title")
    expect(titles).to_have_text(["Second", "First"])
    titles.nth(1).click()
    expect(chat.said).to_have_text(["One.", "Two."])
    expect(chat.page.locator("nav [aria-current]")).to_contain_text("First")
    chat.page.go_back()
    expect(chat.said).to_have_text(["Three."])


def test_an_address_without_its_token_says_where_to_find_it(host: Host, open_page: Open) -> None:
    serving = host.serve([text("unused")])
    chat = open_page(serving)
    chat.page.context.clear_cookies()
    chat.page.reload()
    failure = chat.failures.locator("p")
    expect(failure.nth(1)).to_have_text(
        "Open the address that `a3s serve` printed; it contains the token."
    )
