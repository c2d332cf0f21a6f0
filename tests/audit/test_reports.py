"""No report can be made to say something else by what a model or a file has written.

Each property is judged by a reader that was written here from the reader's own
rules: the runner of GitHub's workflows, CommonMark's fences, an XML parser.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from a3s_cli.audit import report_github, report_json, report_junit, report_text
from a3s_cli.audit.policy_file import AuditRule
from a3s_cli.audit.report_github import code, fence
from a3s_cli.audit.verdict import Breach, RuleVerdict, Totals, Verdict, judge
from a3s_cli.stream.reader import Problem
from tests.support.a3s import proofs

from .streams import bash, run

#: What means something to one of the readers, in any order and number.
HOSTILE = st.lists(
    st.sampled_from(
        [
            *(
                "::error::owned",
                "::set-output name=a::b",
                "::",
                "##[error]",
                "##vso[x]",
                "%0A",
                "%",
            ),
            *("\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\0", "\x1b]0;x\x07", "\x7f", "\ud800"),
            *("```", "`", "~~~~", "</code>", "<img src=x>", "&amp;", "&#10;", "]]>", "<!--", "|"),
            *(
                "# x",
                "- x",
                "@mention",
                "[a](b)",
                "https://x.example",
                "\t",
                "    ",
                "\u202e",
                "\ufffe",
            ),
        ]
    )
    | st.characters(),
    max_size=12,
).map("".join)


def verdict(text: str) -> Verdict:
    """A verdict in which every foreign text is this one."""
    breach = Breach(3, "is bad", text, text, text, text)
    found = [
        RuleVerdict(AuditRule(text, severity, text), [breach], 60)
        for severity in ("error", "warning", "notice")
    ]
    totals = Totals(run_id=text, model=text, policy_sha256=text, end=text)
    problems = [Problem(1, text, text, text), Problem(2, "", text)]
    return Verdict(text, totals, found, problems, 2, 3, text, True)


ORDERS = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[")


def orders(report: str) -> list[str]:
    """The lines that some CI runner would obey."""
    lines = re.split(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", report)
    return [line for line in lines if ORDERS.search(line)]


@settings(max_examples=proofs(300), deadline=None)
@given(HOSTILE, st.booleans())
@example("::error::x", True)
@example("\n::error::x", True)
def test_no_report_gives_an_order(text: str, content: bool) -> None:
    for report in (report_text, report_json, report_junit):
        assert orders(report.report([verdict(text)], content=content)) == []


ANNOTATION = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


@settings(max_examples=proofs(300), deadline=None)
@given(HOSTILE, st.booleans())
def test_github_gets_only_our_annotations(text: str, content: bool) -> None:
    given = orders(report_github.report([verdict(text)], content=content))
    kinds = []
    for line in given:
        match = ANNOTATION.fullmatch(line)
        assert match, line
        kinds.append(match[1])
        for part in match.groups()[1:]:
            # What the runner unescapes is one line again.
            said = part.replace("%3A", ":").replace("%2C", ",")
            assert not re.search("%0A|%0D", said.replace("%25", ""))
    assert kinds == ["error", "error", "error", "warning", "notice"]


@settings(max_examples=proofs(300), deadline=None)
@given(HOSTILE, st.booleans())
def test_junit_is_xml_with_our_structure(text: str, content: bool) -> None:
    report = report_junit.report([verdict(text)], content=content)
    root = ElementTree.fromstring(report.encode())
    assert [one.tag for one in root.iter()][:2] == ["testsuites", "testsuite"]
    cases = root.findall("testsuite/testcase")
    assert [[child.tag for child in case] for case in cases] == [
        ["error"],
        ["failure"],
        ["system-out"],
        ["system-out"],
    ]
    assert root.attrib == {"name": "a3s audit", "tests": "4", "failures": "1", "errors": "1"}


@settings(max_examples=proofs(300), deadline=None)
@given(HOSTILE, st.booleans())
def test_json_is_one_object_on_one_line(text: str, content: bool) -> None:
    report = report_json.report([verdict(text)], content=content)
    assert report.count("\n") == 1 and report.endswith("}\n")
    assert json.loads(report)["verdict"] == "invalid"


#: Every line of a summary without what was quoted.
OURS = re.compile(
    r"|### a3s audit: [a-z, :0-9]+|\|[ |-]*\|(---\|---\|)?|\| [a-z ]+ \| Q \||- Q|and \d+ more"
    r"|- [✓✗] ([a-z]+ )?Q(: \d+ breaches)?|  - (Q|and \d+ more)"
)


def unfenced(markdown: str) -> list[str]:
    """The lines outside of fenced blocks, by CommonMark's rules."""
    outside, marks = [], ""
    for line in re.split(r"\r\n|\n|\r", markdown):
        fenced = re.fullmatch(r" {0,3}(`{3,}|~{3,})([^`]*)", line)
        if not marks and fenced:
            marks = fenced[1]
        elif marks and fenced and fenced[1].startswith(marks) and not fenced[2].strip():
            marks = ""
        elif not marks:
            outside.append(line)
    assert not marks, "a fence that nothing closes"
    return outside


@settings(max_examples=proofs(300), deadline=None)
@given(HOSTILE, st.booleans())
@example("```", True)
@example("a\n```\n# owned", True)
def test_the_summary_has_only_our_structure(text: str, content: bool) -> None:
    markdown = report_github.summary([verdict(text)], content=content)
    for line in unfenced(markdown):
        # A code span of references, letters and spaces contains no structure at all.
        plain = re.sub(r"<code>(&#\d+;|[A-Za-z0-9 ])*</code>", "Q", line)
        assert OURS.fullmatch(plain), line


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_a_code_span_says_what_it_quotes(text: str) -> None:
    assert html.unescape(code(text)) == f"<code>{text}</code>"


@given(HOSTILE)
def test_a_fence_closes_once(text: str) -> None:
    assert [line for line in unfenced(fence(text)) if line] == []


@pytest.mark.parametrize(
    "report", [report_text.report, report_junit.report, report_json.report, report_github.report]
)
def test_content_is_left_out_unless_asked_for(report: Callable[..., str]) -> None:
    rules = [AuditRule("r", must_not=("bash(curl:*)",), must_only=(), must_not_write=("**",))]
    lines = run(bash("curl SECRET"))
    lines[1] = lines[1].replace(b'"turn":1', b'"turn":"SECRET"')
    found = [judge(lines, "x", rules)]
    assert "SECRET" not in report(found, content=False)
    assert "SECRET" in report(found, content=True)
    assert "SECRET" not in report_github.summary(found, content=False)
    assert "SECRET" in report_github.summary(found, content=True)


def test_the_summary_is_capped() -> None:
    many = [verdict("x" * 1000)] * 500
    for content in (False, True):
        markdown = report_github.summary(many, content=content)
        assert len(markdown.encode()) <= report_github.SUMMARY_LIMIT + 100
        assert markdown.endswith("…and more: the report was cut here.\n")
        unfenced(markdown)


def test_the_text_report() -> None:
    rules = [
        AuditRule("no-network", message="Nothing may be fetched.", must_not=("bash(curl:*)",)),
        AuditRule("budget", "warning", limits={"max_turns": 0}),
        AuditRule("files", must_not_write=("**",)),
    ]
    lines = run(bash("curl a"))
    shown = report_text.report([judge(lines, "x", rules)], content=True)
    assert shown == (
        "x: 1 violation, 1 warning\n"
        "  run r1, model m/x, ended in end, turns 1, calls 1, tokens 15, duration 0.0 s, "
        "chain: not checked\n"
        "  ✗ error no-network: Nothing may be fetched.\n"
        "      line 4: bash (c1): bash(curl:*) must not run: `curl a` is denied by bash(curl:*)\n"
        "  ✗ warning budget\n"
        "      line 6: max_turns is 0, the run reached 1\n"
        "  ✓ files\n"
    )
