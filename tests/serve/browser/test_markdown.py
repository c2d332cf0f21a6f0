"""What the page makes of Markdown, and that it does not matter in which pieces it comes."""

from __future__ import annotations

import pytest

from ...support.replies import text
from ..serving import Host
from .chromium import Chat
from .conftest import Open

#: In the page: the HTML of a document that arrives in these pieces, one for each frame.
RENDER = """async (pieces) => {
  const { Markdown } = await import("/page/markdown.js");
  const root = document.createElement("div");
  const markdown = new Markdown(root);
  for (const piece of pieces) { markdown.write(piece); markdown.paint(); }
  markdown.close();
  return root.firstChild.innerHTML;
}"""

LINK = 'rel="noopener noreferrer" target="_blank"'


def a(address: str, inside: str) -> str:
    return f'<a href="{address}" title="{address}" {LINK}>{inside}</a>'


CASES = {
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "# A *b*\ntext\n###### c": "<h3>A <em>b</em></h3><p>text</p><h6>c</h6>",
    "- [ ] a\n- [x] *b*\n- [X]c\n- [y] d\n- [": (
        '<ul><li class="task"><input type="checkbox" disabled="" aria-label="to do"><p>a</p></li>'
        '<li class="task"><input type="checkbox" disabled="" aria-label="done"><p><em>b</em></p>'
        "</li><li><p>[X]c</p></li><li><p>[y] d</p></li><li><p>[</p></li></ul>"
    ),
    "#hash": "<p>#hash</p>",
    "**a *b* `*c*`** __d__ _e_ ~~f~~ ***g***": (
        "<p><strong>a <em>b</em> <code>*c*</code></strong> <strong>d</strong> <em>e</em> "
        "<del>f</del> <strong><em>g</em></strong></p>"
    ),
    "snake_case_name, 2*3*4, *.py and *.js, a ** b": (
        "<p>snake_case_name, 2*3*4, *.py and *.js, a ** b</p>"
    ),
    "**open and `open": "<p>**open and `open</p>",
    r"\*no\* &lt;b&gt; &amp;": "<p>*no* &lt;b&gt; &amp;</p>",
    "``a ` b`` `x`": "<p><code>a ` b</code> <code>x</code></p>",
    "a<br>b": "<p>a<br>b</p>",
    "[a *b*](https://a.example/x_(y)) and [c](mailto:a@b.example)": (
        f"<p>{a('https://a.example/x_(y)', 'a <em>b</em>')} and {a('mailto:a@b.example', 'c')}</p>"
    ),
    "See https://a.example/b_c. (https://d.example/)": (
        f"<p>See {a('https://a.example/b_c', 'https://a.example/b_c')}. "
        f"({a('https://d.example/', 'https://d.example/')})</p>"
    ),
    "<https://a.example/>": f"<p>&lt;{a('https://a.example/', 'https://a.example/')}&gt;</p>",
    "[x](javascript:alert(1)) [y](data:text/html,z) [z](/etc/passwd)": (
        "<p><span>x</span> (javascript:alert(1)) <span>y</span> (data:text/html,z) "
        "<span>z</span> (/etc/passwd)</p>"
    ),
    "![alt](https://a.example/i.png)": f"<p>{a('https://a.example/i.png', '🖼 alt')}</p>",
    "[[x](https://a.example/)](https://b.example/)": (
        f"<p>{a('https://b.example/', '<span>x</span> (https://a.example/)')}</p>"
    ),
    "<script>alert(1)</script>": "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    "- a\n- b\n  - c\n\n  d\n- e": (
        "<ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul><p>d</p></li>"
        "<li><p>e</p></li></ul>"
    ),
    "3. a\n  - b\n  - c\n4. d\n\nend": (
        '<ol start="3"><li><p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul></li>'
        "<li><p>d</p></li></ol><p>end</p>"
    ),
    "* a\n    * b\n    * c": (
        "<ul><li><p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul></li></ul>"
    ),
    "> a\n> b\n>\n> - c\n\nd": (
        "<blockquote><p>a\nb</p><ul><li><p>c</p></li></ul></blockquote><p>d</p>"
    ),
    "a\n\n---\n\n* * *\n": "<p>a</p><hr><hr>",
    "| a | b\\|c |\n|---|--:|\n| **1** | 2 |\n| 3 |\nafter": (
        '<div tabindex="0" class="wide"><table><thead><tr><th>a</th>'
        '<th style="text-align: right;">b|c</th></tr></thead><tbody>'
        '<tr><td><strong>1</strong></td><td style="text-align: right;">2</td></tr>'
        '<tr><td>3</td><td style="text-align: right;"></td></tr></tbody></table></div><p>after</p>'
    ),
    "| no table |\n": "<p>| no table |</p>",
    "": "",
}


def code(language: str, content: str) -> str:
    button = '<button type="button" class="copy">Copy</button>'
    pieces = f"<span>{content}</span>" if content else ""
    return (
        f'<figure class="code"><figcaption>{language}</figcaption>'
        f'<pre tabindex="0"><code>{pieces}</code></pre>{button}</figure>'
    )


CASES |= {
    "```python x\n*a*\n\n\tb\n```\nc": code("python", "*a*\n\n\tb\n") + "<p>c</p>",
    "~~~\n```\n~~~": code("", "```\n"),
    "```\nnever closed": code("", "never closed\n"),
    "1. a\n   ```\n   x\n     y\n   ```\n2. b": (
        '<ol start="1"><li><p>a</p>' + code("", "x\n  y\n") + "</li><li><p>b</p></li></ol>"
    ),
}

#: In the page: documents of marks and words at random, whole and cut; the ones that differ.
DIFFERENT = """async ([seed, number, cases]) => {
  const { Markdown } = await import("/page/markdown.js");
  const render = (pieces) => {
    const root = document.createElement("div");
    const markdown = new Markdown(root);
    for (const piece of pieces) { markdown.write(piece); markdown.paint(); }
    markdown.close();
    return root.firstChild.innerHTML;
  };
  let state = seed;
  const random = (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  const words = ["*", "**", "_", "__", "~~", "`", "``", "```", "~~~", "[", "](", "]", ")", "(",
    "https://a.example/b", "http", "<br>", "<", ">", "&amp;", "&", "\\\\", "!", "# ", "## ", "> ",
    "- ", "* ", "1. ", "2) ", "| a | b |", "|---|--:|", "---", "\\n", "\\n", "\\n\\n",
    " ", " ", "  ", "    ", "\\t", "a", "word", "é", "😀", "1", ".", "\\u00a0"];
  const documents = [...cases];
  while (documents.length < number) {
    let text = "";
    for (let left = 1 + random(40); left; left -= 1) text += words[random(words.length)];
    documents.push(text);
  }
  const different = [];
  for (const text of documents) {
    const whole = render([text]);
    const pieces = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + random(6);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    for (const cut of [[...text], pieces]) {
      if (render(cut) !== whole) different.push([text, whole, render(cut), cut]);
    }
  }
  return [documents.length, different];
}"""


@pytest.fixture
def chat(host: Host, open_page: Open) -> Chat:
    return open_page(host.serve([text("unused")]))


def test_what_models_write(chat: Chat) -> None:
    assert {source: chat.page.evaluate(RENDER, [source]) for source in CASES} == CASES


def test_pieces_do_not_matter(chat: Chat) -> None:
    number, different = chat.page.evaluate(DIFFERENT, [20261126, 1500, list(CASES)])
    assert (number, different[:3]) == (1500, [])


def test_no_text_is_slow_to_read(chat: Chat) -> None:
    # A search without a bound would take minutes for each.
    for piece in ("**a ", "[", "`a", "_a", "[a](", "<a", "*a **b ", "![[", "> ", "- a ", "|", "\\"):
        assert len(chat.page.evaluate(RENDER, [piece * 4000])) >= 2000
    row = "|-" + " " * 200_000 + "x\n"
    assert len(chat.page.evaluate(RENDER, ["| a |\n", row])) >= 200_000
