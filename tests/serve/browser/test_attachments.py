"""Files in the page: chosen, pasted, dropped, and taken away again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from ...support.files import PNG, base64_of, data_url
from ...support.replies import text
from ..serving import Host
from .conftest import Open

#: Has the prompt paste, or be given, a file, as the browser does it.
HAND = """([kind, name, data]) => {
  const held = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  held.items.add(new File([bytes], name));
  const more = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: held, ...more })
    : new DragEvent("drop", { dataTransfer: held, ...more });
  document.getElementById("prompt").dispatchEvent(event);
}"""


def hand(page: Page, kind: str, name: str) -> None:
    page.evaluate(HAND, [kind, name, base64_of(PNG)])
    expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()


def test_files_go_with_the_prompt(host: Host, open_page: Open) -> None:
    serving = host.serve([text("Two dots."), text("Still.")])
    chat = open_page(serving)
    page = chat.page
    page.locator("#files").set_input_files(
        {"name": "chosen.png", "mimeType": "image/png", "buffer": PNG}
    )
    hand(page, "paste", "pasted.png")
    hand(page, "drop", "dropped.png")
    page.get_by_role("button", name="Remove pasted.png").click()
    chat.ask("Look.")
    expect(page.get_by_text("Attached: chosen.png, dropped.png")).to_be_visible()
    expect(page.locator("#attached")).to_be_hidden()
    picture = {"type": "image_url", "image_url": {"url": data_url(PNG, "image/png")}}
    words = {"type": "text", "text": "Look."}
    body = serving.model.requests[0].body
    assert body["messages"][-1]["content"] == [picture, picture, words]
    chat.ask("And now?")
    assert serving.model.requests[1].body["messages"][-1]["content"] == "And now?"
