"""The composer: input methods, touch screens, long names of models, an empty schema."""

from __future__ import annotations

import threading

from playwright.sync_api import expect

from ...support.replies import text
from ..serving import Host
from .conftest import Open

#: An Enter that belongs to an input method, as browsers tell it in one way or the other.
COMPOSED = """(prompt) => {
  const press = (more) => prompt.dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...more }));
  press({ isComposing: true });
  press({ keyCode: 229 });
}"""
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
LONG = "openai/" + "a-model-with-a-rather-long-name-" * 4


def test_an_enter_of_an_input_method_sends_nothing(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text("Done.")]))
    chat.prompt.fill("変換")
    chat.prompt.evaluate(COMPOSED)
    expect(chat.prompt).to_have_value("変換")
    chat.prompt.press("Enter")
    expect(chat.ends).to_have_count(1)
    assert chat.page.locator(".prompt").all_inner_texts() == ["変換"]


def test_enter_on_a_touch_screen_is_a_new_line(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text("Done.")]), **PHONE)
    chat.prompt.fill("one")
    chat.prompt.press("Enter")
    chat.prompt.press_sequentially("two")
    expect(chat.prompt).to_have_value("one\ntwo")
    chat.button("Send").click()
    expect(chat.ends).to_have_count(1)
    assert chat.page.locator(".prompt").all_inner_texts() == ["one\ntwo"]


def test_a_long_name_of_a_model_leaves_room_to_send(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([], "-m", LONG), **PHONE)
    expect(chat.model).to_contain_text(LONG)
    send, model = chat.button("Send").bounding_box(), chat.model.bounding_box()
    assert send and model
    assert send["height"] <= model["height"] + 1  # one line
    assert send["x"] + send["width"] <= 360 and model["x"] >= 0
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_empty_schema_is_said(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text('{"a":1}')]))
    chat.button("{ } Object").click()
    chat.send("An object.")
    expect(chat.page.locator("#wrong")).to_contain_text("The schema is empty")
    expect(chat.prompt).to_have_value("An object.")
    assert chat.serving.model.requests == []


def test_enter_during_a_run_is_for_its_next_turn(host: Host, open_page: Open) -> None:
    gate = threading.Event()
    chat = open_page(host.serve([text("One", gate), text("Two")]))
    chat.send("First")
    expect(chat.said).to_have_text("One")
    chat.send("Second")
    expect(chat.prompt).to_have_value("")
    gate.set()
    expect(chat.said).to_have_text(["One", "Two"])
    expect(chat.page.locator(".steered")).to_have_text("Second")
