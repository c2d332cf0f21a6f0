"""Text that wants to act: what a model writes, what a tool prints, what a file is called."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from ...support.replies import Reply, a_call, bash, reasoning, text
from ..serving import Host
from .conftest import Open

HTML = (
    "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
    '<svg onload="window.hacked=1"><iframe src="javascript:parent.hacked=1"></iframe>'
    '<a href="javascript:window.hacked=1">x</a><style>body{display:none}</style>'
    '<link rel=stylesheet href="https://evil.example/x.css"><form action="https://evil.example">'
)
MARKDOWN = f"""{HTML}

# {HTML}

- {HTML}

| {HTML} |
|---|
| {HTML} |

```html"><script>window.hacked=1</script>
{HTML}
```

[x](javascript:window.hacked=1) [y](  JaVaScRiPt:window.hacked=1) [z](java\tscript:window.hacked=1)
[d](data:text/html,<script>window.hacked=1</script>) [v](vbscript:x) [f](file:///etc/passwd)
![i](https://evil.example/i.png) ![j](data:image/svg+xml,x) <javascript:window.hacked=1>
[q](https://ok.example/"onmouseover="window.hacked=1) https://ok.example/'"><script>
"""

#: In the page: what it must not hold, and where its links lead.
FOUND = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const active = "script:not([src^='/page/']), img, svg, iframe, object, embed, style, base, " +
    "form:not(#composer, dialog form), meta[http-equiv]";
  const attributes = all("*").flatMap((one) => one.getAttributeNames());
  const links = all("#log a").map((one) => `${one.protocol} ${one.rel} ${one.target}`);
  return [
    window.hacked ?? null,
    all(active).map((one) => one.outerHTML),
    all("link").map((one) => one.getAttribute("href")),
    attributes.filter((name) => name.startsWith("on")),
    [...new Set(links)],
  ];
}"""


def test_nothing_acts(host: Host, open_page: Open) -> None:
    script = [
        reasoning(HTML, a_call("bash", {"command": "cat evil"})),
        Reply((a_call("<script>window.hacked=1</script>", HTML),)),
        bash(f"echo '{HTML}'"),
        text(*(MARKDOWN[at : at + 5] for at in range(0, len(MARKDOWN), 5))),
    ]
    (host.bench.work / "evil").write_text(HTML + "\n" + MARKDOWN)
    chat = open_page(host.serve(script, "--allow", "bash(cat *)"))
    chat.send(f"Go {HTML}")
    chat.button("Allow once").click()
    expect(chat.ends).to_have_count(1)
    hacked, elements, sheets, handlers, links = chat.page.evaluate(FOUND)
    assert (hacked, elements, handlers) == (None, [], [])
    assert sheets == ["/page/icon.svg", "/page/style.css"]
    assert links == ["https: noopener noreferrer _blank"]
    # It is all there, as text.
    expect(chat.page.locator(".prompt")).to_have_text(f"Go {HTML}")
    expect(chat.page.locator(".said p").first).to_have_text(HTML)
    expect(chat.page.locator(".said h3")).to_have_text(HTML)
    expect(chat.page.locator(".said td")).to_have_text(HTML)
    outputs = chat.page.locator(".output")
    assert [one.text_content() for one in outputs.all()][:1] == [HTML + "\n" + MARKDOWN]
    # `faults` of the fixture: no error, no dialog, and no request to anywhere else.


def test_a_reload_of_it_is_as_harmless(host: Host, open_page: Open) -> None:
    chat = open_page(host.serve([text(MARKDOWN)]))
    chat.ask(HTML)
    before = chat.log.inner_html()
    chat.page.reload()
    expect(chat.ends).to_have_count(1)
    assert chat.log.inner_html() == before
    assert chat.page.evaluate(FOUND)[:2] == [None, []]
    expect(chat.page.locator("nav .title")).to_have_text(HTML)


def test_what_is_asked_cannot_be_disguised(host: Host, open_page: Open) -> None:
    # U+202E turns the order of letters around; a zero width space hides; an escape colours.
    script = [
        bash("rm x \u202efdp.txt\u200b\x1b[8m\xad\U000e0041"),
        bash("printf '\\033[31mred\\033[0m\\rnext\\n'"),
    ]
    chat = open_page(host.serve([*script, text("Done.")], "--allow", "bash(printf *)"))
    chat.send("Go.")
    shown = "rm x ⟨202e⟩fdp.txt⟨200b⟩⟨001b⟩[8m⟨00ad⟩⟨e0041⟩"
    expect(chat.cards.locator("summary code")).to_have_text(shown)
    chat.button("No").click()
    expect(chat.ends).to_have_count(1)
    expect(chat.page.locator(".output")).to_have_text("red\nnext\n")


def test_a_long_command_is_asked_about_whole(host: Host, open_page: Open) -> None:
    """More than an event holds, with an end that matters, and how many lines there are."""
    command = "echo a\n" * 12_000 + "echo hidden tail"
    chat = open_page(host.serve([bash(command), text("Done.")]))
    chat.send("Go.")
    question = chat.page.get_by_role("group", name="May bash run?")
    expect(question).to_contain_text("“Always in this run” covers: exactly this script")
    expect(chat.cards.locator("dt")).to_have_text("command · 12,001 lines")
    assert chat.cards.locator("dd pre").text_content() == command
    chat.button("No").click()
    expect(chat.ends).to_have_count(1)


def test_no_script_but_ours_may_run(host: Host, open_page: Open) -> None:
    """Should a way in be found, the policy of the server still holds."""
    chat = open_page(host.serve([text("unused")]))
    assert (
        chat.page.evaluate(
            """() => {
          const place = document.createElement("div");
          place.innerHTML = "<img src=x onerror='window.hacked=1'>";
          const script = document.createElement("script");
          script.textContent = "window.hacked=1";
          document.body.append(place, script);
          return fetch("https://evil.example/").then(() => 1, () => window.hacked ?? 0);
        }"""
        )
        == 0
    )
    # This very test makes the browser complain, and its image is looked for here.
    policy = re.compile(r"console: .*(Content Security Policy|Refused to)")
    chat.faults[:] = [fault for fault in chat.faults if not policy.match(fault)]
