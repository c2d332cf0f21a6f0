"""The colours of code on the page: what they mark, and what they never do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ...support.replies import Reply, a_call, text
from ..serving import Host
from .chromium import Chat
from .conftest import Open

#: In the page: the HTML of code that arrives in these pieces, one for each frame.
PAINT = """async ([language, pieces]) => {
  const { Preformatted } = await import("/page/preformatted.js");
  const root = document.createElement("code");
  const shown = new Preformatted(root, Infinity, language);
  for (const piece of pieces) { shown.write(piece); shown.paint(); }
  shown.paint(true);
  return root.innerHTML;
}"""
MARKS = {"c": "/", "s": "'", "n": "#", "k": "*", "a": "+", "d": "-"}


def marked(html: str) -> str:
    """Write `⟨k if⟩` for an `if` in the colour of keywords."""
    assert html.count("<span>") == 1
    html = re.sub(r"</?span>", "", html)
    html = re.sub(r'<i class="(\w)">(.*?)</i>', r"⟨\1 \2⟩", html, flags=re.DOTALL)
    assert "<" not in html
    return html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


CASES = {
    ("python", '# a \'b\'\ndef f(x=1.5):\n  return f"a\\"#{x}" + ifs\n'): (
        '⟨c # a \'b\'\n⟩⟨k def⟩ f(x=⟨n 1.5⟩):\n  ⟨k return⟩ f⟨s "a\\"#{x}"⟩ + ifs\n'
    ),
    ("py", '"""a\n"b" # c\n"""\n@cache\nasync def f(): x.is = \'open\nNone'): (
        '⟨s """a\n"b" # c\n"""⟩\n⟨k @cache⟩\n⟨k async⟩ ⟨k def⟩ f(): x.is = ⟨s \'open\n⟩⟨k None⟩'
    ),
    ("json", '{"a\\\\": [1e3, true, "nul", null]} // c'): (
        '{⟨s "a\\\\"⟩: [⟨n 1e3⟩, ⟨k true⟩, ⟨s "nul"⟩, ⟨k null⟩]} ⟨c // c⟩'
    ),
    ("bash", 'if [ $# -gt 0 ]; then # why\n  echo \'a\\\' "b\\"\nc" a#b; fi\n'): (
        "⟨k if⟩ [ $# -gt ⟨n 0⟩ ]; ⟨k then⟩ ⟨c # why\n⟩"
        '  echo ⟨s \'a\\\'⟩ ⟨s "b\\"\nc"⟩ a#b; ⟨k fi⟩\n'
    ),
    ("TypeScript", "const a = /[\"']x\\//g, b = c / d; /* e\n */ `f\n${g}` // h\nthis.default"): (
        "⟨k const⟩ a = ⟨s /[\"']x\\//⟩g, b = c / d; ⟨c /* e\n */⟩ ⟨s `f\n${g}`⟩ ⟨c // h\n⟩"
        "⟨k this⟩.default"
    ),
    ("go", 'func f() { return `a\\` + "\\"" + \'"\' }'): (
        '⟨k func⟩ f() { ⟨k return⟩ ⟨s `a\\`⟩ + ⟨s "\\""⟩ + ⟨s \'"\'⟩ }'
    ),
    ("rust", "fn f<'a>(x: &'a str) -> char { '\\'' } // 'x'\nlet c = '\"'; 0x1f"): (
        "⟨k fn⟩ f<'a>(x: &'a str) -> char { ⟨s '\\''⟩ } ⟨c // 'x'\n⟩⟨k let⟩ c = ⟨s '\"'⟩; ⟨n 0x1f⟩"
    ),
    ("c++", '#include <a.h>\nint main(void) { return "//"[0]; } /* open'): (
        '⟨k #include⟩ <a.h>\n⟨k int⟩ main(⟨k void⟩) { ⟨k return⟩ ⟨s "//"⟩[⟨n 0⟩]; } ⟨c /* open⟩'
    ),
    ("yaml", "a-b: true # c\n- d: http://e.example:80/\n  'f': 1\n"): (
        "⟨k a-b⟩: ⟨k true⟩ ⟨c # c\n⟩- ⟨k d⟩: http://e.example:⟨n 80⟩/\n  ⟨s 'f'⟩: ⟨n 1⟩\n"
    ),
    ("toml", '[a.b]\nc = """d\ne"""\nf.g = 1 # h\n'): (
        '[a.b]\n⟨k c⟩ = ⟨s """d\ne"""⟩\n⟨k f.g⟩ = ⟨n 1⟩ ⟨c # h\n⟩'
    ),
    ("html", '<!-- <b> -->\n<a href="x>">don\'t 1</a><br/>'): (
        '⟨c <!-- <b> -->⟩\n⟨k <a⟩ href⟨s ="x>"⟩>don\'t 1⟨k </a⟩>⟨k <br⟩/>'
    ),
    ("css", "/* a */ @media b { c:hover { color: #1f2; width: 1px } }"): (
        "⟨c /* a */⟩ ⟨k @media⟩ b { c:hover { ⟨k color⟩: ⟨n #1f2⟩; ⟨k width⟩: ⟨n 1px⟩ } }"
    ),
    ("diff", "diff --git a b\n--- a\n+++ b\n@@ -1 +1 @@\n a + b\n-c\n+d\n++i\n"): (
        "⟨k diff --git a b\n⟩⟨k --- a\n⟩⟨k +++ b\n⟩⟨n @@ -1 +1 @@\n⟩"
        " a + b\n⟨d -c\n⟩⟨a +d\n⟩⟨a ++i\n⟩"
    ),
    ("brainless", "if 'a' # 1"): "if 'a' # 1",
    ("", "if 'a' # 1"): "if 'a' # 1",
}

WORDS = [
    *(
        "'",
        '"',
        "'''",
        '"""',
        "`",
        "\\",
        "#",
        "//",
        "/*",
        "*/",
        "/",
        "<!--",
        "-->",
        "<",
        "</",
        "=",
        "+",
        "-",
    ),
    *(
        "---",
        "+++ ",
        "@@",
        "@a",
        "diff ",
        "if",
        "true",
        "a",
        "é",
        "😀",
        "_",
        "1",
        ".",
        ":",
        "(",
        "$",
    ),
    *("<b>", "&amp;", " ", " ", "\n", "\n"),
]
#: Beginnings of tokens, of which there are many.
HOSTILE = [*WORDS, "a-", "a.", "a: ", "a ", "<!-", "if ", "'\\", "\n-", "a" * 50 + "\\"]

#: In the page: the code whose colours depend on how it is cut, or whose text is another.
DIFFERENT = (
    f"""async ([seed, number, cases, words]) => {{
  const paint = {PAINT};
"""
    + """
  let state = seed;
  const random = (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  const languages = [...new Set(cases.map(([language]) => language))];
  const different = [];
  const check = async (language, text) => {
    const whole = await paint([language, [text]]);
    const pieces = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + random(5);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    const holder = document.createElement("div");
    holder.innerHTML = whole;
    if (holder.textContent !== text) different.push([language, text, holder.textContent]);
    if (holder.querySelector(":not(span, i)")) different.push([language, text, whole]);
    for (const cut of [text.split(""), pieces]) {
      const other = await paint([language, cut]);
      if (other !== whole) different.push([language, text, whole, other]);
    }
  };
  for (const [language, text] of cases) await check(language, text);
  for (let left = number; left; left -= 1) {
    let text = "";
    for (let more = 1 + random(30); more; more -= 1) text += words[random(words.length)];
    await check(languages[left % languages.length], text);
  }
  return different;
}"""
)

#: In the page: each state of a text that is written character by character; the characters
#: whose colour changed after they had one.
CHANGED = """async ([language, text]) => {
  const { Preformatted } = await import("/page/preformatted.js");
  const root = document.createElement("code");
  const shown = new Preformatted(root, Infinity, language);
  let before = [];
  const changed = [];
  for (const character of text) {
    shown.write(character);
    shown.paint();
    const now = [];
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const colour = walk.currentNode.parentNode.closest("i")?.className ?? "";
      for (const _ of walk.currentNode.data) now.push(colour);
    }
    before.forEach((colour, at) => colour && now[at] !== colour && changed.push([at, colour]));
    before = now;
  }
  return [before.length, changed];
}"""


@pytest.fixture
def chat(host: Host, open_page: Open) -> Chat:
    return open_page(host.serve([text("unused")]))


def test_what_is_coloured(chat: Chat) -> None:
    found = {case: marked(chat.page.evaluate(PAINT, [case[0], [case[1]]])) for case in CASES}
    assert found == CASES


def test_pieces_do_not_matter_and_nothing_is_lost(chat: Chat) -> None:
    cases = [list(case) for case in CASES]
    assert chat.page.evaluate(DIFFERENT, [20261129, 1500, cases, WORDS])[:3] == []


def test_no_colour_changes_while_it_is_written(chat: Chat) -> None:
    for language, source in CASES:
        length = len(source)
        assert chat.page.evaluate(CHANGED, [language, source]) == [length, []], language


#: In the page: how long the HTML of each of these is, at once and in pieces.
LENGTHS = f"""async ([languages, texts]) => {{
  const paint = {PAINT};
  const lengths = [];
  for (const language of languages) for (const text of texts) {{
    const pieces = text.match(/[^]{{1,1000}}/g);
    for (const cut of [[text], pieces]) lengths.push((await paint([language, cut])).length);
  }}
  return lengths;
}}"""


def test_no_code_is_slow_to_read(chat: Chat) -> None:
    # A search without a bound would take minutes for all of them.
    languages = list({case[0] for case in CASES})
    texts = [piece * (10_000 // len(piece)) for piece in HOSTILE]
    lengths = chat.page.evaluate(LENGTHS, [languages, texts])
    assert len(lengths) == 2 * len(languages) * len(texts)
    assert min(lengths) > 9_900


ANSWER = """```python
def f(): return "x"
```
"""
#: In the page: how the colours of tokens and of what is behind them differ, at the least.
CONTRAST = """() => {
  const light = (text) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((one) => linear(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = document.querySelector(".code");
  const root = ground.appendChild(document.createElement("code"));
  const behind = light(getComputedStyle(ground).backgroundColor);
  const ratios = [..."csnkad"].map((kind) => {
    root.innerHTML = `<i class="${kind}">x</i>`;
    const over = light(getComputedStyle(root.firstChild).color);
    return (Math.max(over, behind) + 0.05) / (Math.min(over, behind) + 0.05);
  });
  root.remove();
  return Math.min(...ratios);
}"""


def test_an_answer_a_script_a_file_and_a_diff(host: Host, open_page: Open) -> None:
    diff = "diff --git a/x b/x\n-one\n+<b>two</b>\n"
    (host.bench.work / "x.diff").write_text(diff)
    written = {"file_path": "x.json", "content": '{"a": 1}'}
    script = [
        Reply((a_call("write", written), a_call("bash", {"command": f"cat x.diff {'#' * 60}"}))),
        text(*ANSWER),
    ]
    chat = open_page(host.serve(script, "--allow", "write", "--allow", "bash"))
    chat.ask("Go.")
    cards = chat.cards.locator("dd pre")
    assert [marked(one.inner_html()) for one in cards.all()] == [
        '{⟨s "a"⟩: ⟨n 1⟩}',
        f"cat x.diff ⟨c {'#' * 60}⟩",
    ]
    output = chat.page.get_by_role("region", name="Output of bash").locator("code")
    assert marked(output.inner_html()) == ("⟨k diff --git a/x b/x\n⟩⟨d -one\n⟩⟨a +<b>two</b>\n⟩")
    said = chat.said.locator("pre code")
    assert marked(said.inner_html()) == '⟨k def⟩ f(): ⟨k return⟩ ⟨s "x"⟩\n'
    for scheme in ("light", "dark"):
        chat.page.emulate_media(color_scheme=scheme)
        assert chat.page.evaluate(CONTRAST) >= 4.5, scheme
    # What was shown once looks the same after a reload.
    before = chat.log.inner_html()
    chat.page.reload()
    expect(chat.ends).to_have_count(1)
    assert chat.log.inner_html() == before
