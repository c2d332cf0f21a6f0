"""Bytes of the web to text: encodings, types, and HTML that means harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a3s_cli.web.page import Format, MediaType, NotText, render, text_of

HTML = MediaType("text/html")
PAGE = """<!doctype html><title>T</title><style>p {}</style><script>evil()</script>
<nav><a href="/top">Top</a></nav>
<h1>One &amp; <i>two</i></h1>
<p>Some <b>bold</b> text, <code>a_b</code>, a <a href="x/y?z=1#w">link</a> and
  <a href="http://[">no link</a>.</p>
<p hidden>hidden</p><p style="color: red; DISPLAY : none">unseen</p><template>later</template>
<div style="visibility:hidden">unseen <b hidden>too</b></div><!-- comment -->
<ul><li>one<ul><li>inner</ul><li>two</ul>
<table><tr><th>a<th>b<tr><td>1<td>x|y</table>
<pre><code class="language-py">if x:
  y</code></pre>
<img src="i.png" alt="a picture"><img src="data:image/png;base64,AAAA" alt="none">
<noscript>Please enable scripts.</noscript>
"""
MARKDOWN = r"""[Top](https://a.org/top)

# One & *two*

Some **bold** text, `a_b`, a [link](https://a.org/d/x/y?z=1#w) and [no link](http://[).

- one
  - inner
- two

| a | b |
| --- | --- |
| 1 | x\|y |

```py
if x:
  y
```

![a picture](https://a.org/d/i.png) Please enable scripts."""
TEXT = """Top

One & two

Some bold text, a_b, a link and no link.

- one
  - inner
- two

| a | b |
| --- | --- |
| 1 | x\\|y |

```py
if x:
  y
```

a picture Please enable scripts."""


@pytest.mark.parametrize(
    ("wanted", "text"), [("markdown", MARKDOWN), ("text", TEXT), ("html", PAGE)]
)
def test_a_page(wanted: Format, text: str) -> None:
    assert render(PAGE, HTML, wanted, "https://a.org/d/e") == text


def test_a_line_break_of_a_page_is_one_of_the_text() -> None:
    assert render("<p>a<br>b", HTML, "markdown", "https://a.org/") == "a  \nb"


def test_links_follow_the_base_of_the_page() -> None:
    page = '<base href="/docs/"><a href=" one ">1</a>'
    assert render(page, HTML, "markdown", "https://a.org/x") == "[1](https://a.org/docs/one)"


@pytest.mark.parametrize(
    "name", ["application/json", "text/plain", "text/markdown", "image/svg+xml"]
)
@pytest.mark.parametrize("wanted", ["markdown", "text", "html"])
def test_what_is_not_html_stays_as_it_is(name: str, wanted: Format) -> None:
    text = '{"a": "<b>x</b>"}\r\n'
    assert render(text, MediaType(name), wanted, "https://a.org/") == text


def test_html_without_a_type_is_html() -> None:
    assert render("\n<!DOCTYPE html><p>x", MediaType(""), "markdown", "https://a.org/") == "x"
    assert render("1 < 2", MediaType(""), "markdown", "https://a.org/") == "1 < 2"


HEADERS = {
    "": MediaType(""),
    "Text/HTML": MediaType("text/html"),
    "text/html; charset=UTF-8": MediaType("text/html", "utf-8"),
    'text/html;x=y; Charset = "Shift_JIS" ; z': MediaType("text/html", "shift_jis"),
    "text/html; notcharset=a": MediaType("text/html"),
    ";": MediaType(""),
}


@pytest.mark.parametrize("header", HEADERS)
def test_content_type(header: str) -> None:
    assert MediaType.parse(header) == HEADERS[header]


DECODED = [
    ("é", "é".encode(), ""),
    ("é", "é".encode("cp1252"), ""),
    ("“é”", "“é”".encode("cp1252"), "iso-8859-1"),
    ("日本", "日本".encode("cp932"), "shift_jis"),
    ("中文", "中文".encode("gb18030"), "gb2312"),
    ("Привет", "Привет".encode("koi8-r"), "koi8-r"),
    ("Привет", "Привет".encode("cp1251"), "windows-1251"),
    ("é", "é".encode("utf-16-le"), "utf-16"),
    ("é", b"\xff\xfe" + "é".encode("utf-16-le"), ""),
    ("é", b"\xfe\xff" + "é".encode("utf-16-be"), "iso-8859-1"),
    ("é", b"\xef\xbb\xbf" + "é".encode(), "koi8-r"),
    ("xn--a", b"xn--a", "idna"),
    ("a\\u0062", b"a\\u0062", "unicode_escape"),
    ("+AGE-", b"+AGE-", "utf-7"),
    ("a", b"a", "zip"),
]


@pytest.mark.parametrize(("text", "data", "charset"), DECODED)
def test_encodings(text: str, data: bytes, charset: str) -> None:
    assert text_of(data, MediaType("text/plain", charset)) == text


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="koi8-r">',
        "<META http-equiv=Content-Type content='text/html; charset=koi8-r'>",
        '<?xml version="1.0" encoding="koi8-r"?>',
    ],
)
def test_the_encoding_that_a_page_declares(head: str) -> None:
    assert text_of((head + "Привет").encode("koi8-r"), HTML) == head + "Привет"
    declared = head.replace("koi8-r", "utf-16")
    assert text_of((declared + "é").encode(), HTML) == declared + "é"


def test_a_character_that_was_cut_in_two_is_left_out() -> None:
    assert text_of("aé".encode()[:-1], HTML, cut=True) == "a"
    assert text_of("aé".encode()[:-1], HTML) == "aÃ"


@pytest.mark.parametrize("name", ["application/pdf", "image/png", "video/mp4", "application/zip"])
def test_types_that_are_no_text(name: str) -> None:
    with pytest.raises(NotText, match=name):
        MediaType(name).check()


@pytest.mark.parametrize("name", ["text/html", "application/octet-stream", ""])
def test_content_that_is_no_text(name: str) -> None:
    with pytest.raises(NotText, match="binary"):
        text_of(b"\x7fELF\x00\x01", MediaType(name))


def test_bytes_without_a_type_are_text_only_where_they_can_be() -> None:
    with pytest.raises(NotText, match="binary"):
        text_of(b"\x93\xff\x81", MediaType(""))
    assert text_of(b"plain", MediaType("application/octet-stream")) == "plain"


#: Each is a page of one or two megabytes that makes some parser slow, deep or large.
HOSTILE = {
    "deep": "<div>" * 200_000 + "x",
    "formatting": "<b>" * 200_000 + "x",
    "misnested": "<p><a><b><i><u><s><em>" * 20_000,
    "attributes": "<p " + " ".join(f"a{i}=1" for i in range(200_000)) + ">x",
    "brackets": "<" * 2_000_000,
    "comments": "<!--" * 300_000,
    "quotes of lines": "<blockquote>" * 50_000 + "x<br>" * 200_000,
    "lists of lines": "<ul><li>" * 50_000 + "x<br>" * 200_000,
    "one long cell": "<table><tr><td>" + "y" * 1_000_000 + "<tr><td>a<td>b" * 50_000,
    "wide cells": "<table>" + ("<tr>" + "<td rowspan=65534 colspan=1000>a" * 100) * 500,
    "tables in tables": "<table><tr><td>a<td>b" * 20_000,
    "links": '<a href="http://[">x</a><img src="//[">' * 20_000,
    "hidden in hidden": "<div hidden>" * 100_000,
    "backticks": "<pre>" + "`" * 1_000_000,
    "unclosed": "<p><img src='" + "x" * 1_000_000,
}


@pytest.mark.parametrize("wanted", ["markdown", "text"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_becomes_text_of_a_bounded_size(name: str, wanted: Format) -> None:
    page = HOSTILE[name]
    assert len(render(page, HTML, wanted, "https://a.org/")) < 25 * len(page)


PIECES = """<p> <b> </b> <a\thref=x> </a> <table> <tr> <td> <ul> <li> <pre> <code> ` | * _ # < &#0;
&#xD800; <svg> <math> <template> <select> <option> </p> <br> <h1> é \x00 <img\tsrc=x\talt=y>"""


@given(st.lists(st.sampled_from(re.split("[ \n]", PIECES)), max_size=40).map("".join))
def test_any_page_becomes_valid_text(page: str) -> None:
    for wanted in ("markdown", "text"):
        render(page, HTML, wanted, "https://a.org/").encode()


@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "utf-16", "gbk", "iso-2022-jp"]))
def test_any_bytes_become_text_or_are_refused(data: bytes, charset: str) -> None:
    try:
        text_of(data, MediaType("text/html", charset)).encode()
    except NotText:
        assert b"\0" in data
