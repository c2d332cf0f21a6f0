"""The report as JUnit XML, which every CI system shows: one test case per rule.

The stream itself is a test case, too, with an error rather than a failure: an
incomplete stream cannot be judged in full.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .verdict import RuleVerdict, Verdict
from .wording import breach_text, facts, headline, omitted, problem_text, rule_text, shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: Characters that XML 1.0 does not allow, escaped or not.
_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(verdicts: Sequence[Verdict], *, content: bool) -> str:
    """Return every verdict as a test suite."""
    # Imported here because only this report needs it.
    from xml.etree.ElementTree import Element, indent, tostring

    root = Element("testsuites", name="a3s audit")
    for verdict in verdicts:
        root.append(_suite(verdict, content))
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(verdict: Verdict, content: bool) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    suite = Element("testsuite", name=_clean(shown(verdict.name)))
    properties = SubElement(suite, "properties")
    for name, value in facts(verdict):
        SubElement(properties, "property", name=name, value=_clean(value))
    cases = [_stream(verdict, content), *(_rule(verdict, one, content) for one in verdict.rules)]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    return suite


def _stream(verdict: Verdict, content: bool) -> Element:
    case = _case(verdict, "a genuine recording" if verdict.verified else "a complete, valid stream")
    if verdict.problem_count:
        lines = [problem_text(problem, content) for problem in verdict.problems]
        _say(case, "error", headline(verdict), lines, verdict.problem_count)
    return case


def _rule(verdict: Verdict, found: RuleVerdict, content: bool) -> Element:
    case = _case(verdict, found.rule.id)
    if found.count:
        # Only an error fails: JUnit has no warnings.
        kind = "failure" if found.rule.severity == "error" else "system-out"
        lines = [breach_text(breach, content) for breach in found.breaches]
        _say(case, kind, rule_text(found), lines, found.count)
    return case


def _case(verdict: Verdict, name: str) -> Element:
    from xml.etree.ElementTree import Element

    return Element("testcase", classname=_clean(shown(verdict.name)), name=_clean(shown(name)))


def _say(case: Element, kind: str, message: str, lines: list[str], count: int) -> None:
    from xml.etree.ElementTree import SubElement

    if more := omitted(count, len(lines)):
        lines = [*lines, more]
    said = SubElement(case, kind)
    if kind != "system-out":
        said.set("message", _clean(message))
    else:
        lines = [message, *lines]
    said.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
