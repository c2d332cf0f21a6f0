"""The composer: input methods, touch screens, long names of models, an empty schema."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect

from ...support.replies import bash, text
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


#: Names as vendors, routers and hubs of weights have them.
NAMES = (
    "openrouter/anthropic/claude-sonnet-4.5:thinking",
    "openrouter/nousresearch/hermes-3-llama-3.1-405b:free",
    "ollama/hf.co/bartowski/Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M",
    "ollama/hf.co/unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF:UD-Q4_K_XL",
    "openai/ft:gpt-4.1-mini-2025-04-14:my-organisation:code-review:B7x2kQ9z",
)
#: In the page: controls that are seen and smaller than a finger, or outside of the window.
MISSED = """() => [...document.querySelectorAll("button, select, summary, input, nav a")]
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => one.checkVisibility({ visibilityProperty: true }) && box.width)
  .filter(([, box]) => box.height < 32 || box.width < 24 || box.left < 0 || box.right > innerWidth)
  .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.width}x${box.height} at ${box.left}`)"""


@pytest.mark.parametrize(("width", "height"), [(320, 568), (360, 640), (390, 844)])
def test_real_names_of_models_on_a_phone(
    host: Host, open_page: Open, width: int, height: int
) -> None:
    """Each of them fits while it is chosen, and every control can be hit."""
    config = host.bench.home / ".config/a3s/config.acl"
    config.parent.mkdir(parents=True)
    providers: dict[str, str] = {}
    for name in NAMES:
        provider, _, model = name.partition("/")
        providers[provider] = providers.get(provider, "") + f'  models "{model}" {{}}\n'
    blocks = (f'providers "{name}" {{\n{models}}}\n' for name, models in providers.items())
    config.write_text("".join(blocks))
    chat = open_page(
        host.serve(
            [bash("echo one"), text("Done.")], "--allow", "bash", "-m", NAMES[-1],
            env={"OPENROUTER_API_KEY": "k"},
        ),
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True,
    )  # fmt: skip
    assert set(NAMES) <= set(chat.model.locator("option").all_inner_texts())

    def look() -> None:
        seen = chat.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert seen == [width, width]
        send, model = chat.button("Send").bounding_box(), chat.model.bounding_box()
        assert send and model
        assert send["height"] < 48 and send["y"] + send["height"] <= height  # one line, in view
        assert model["x"] + model["width"] <= send["x"]
        assert chat.page.evaluate(MISSED) == []

    for name in NAMES[:-1]:
        chat.model.select_option(label=name)
        look()
    chat.model.select_option(label=NAMES[-1])
    chat.prompt.fill("Go.")
    chat.button("Send").tap()
    expect(chat.ends).to_have_count(1)
    expect(chat.page.locator("#where")).to_contain_text(NAMES[-1])
    look()
    chat.button("Sessions").tap()
    assert chat.page.evaluate(MISSED) == []


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
