"""Finds the JSON document in what a model says around it.

Asked for JSON alone, a model still reasons first, wraps the answer in a code
fence, or explains itself. The text comes in pieces and what was shown cannot be
taken back, so a rule has to decide while reading:

- A block is the text from its first character that is no blank, and what follows
  a code fence. An answer is expected there: what begins like JSON is the document.
- In prose, `{` or `[` may be anything. It is passed over without a trace unless a
  key with its colon has come, or an element with its comma where the root may be
  an array: from then on it is the document as well.
- A document that breaks is the violation to be told. To go on inside it would
  find a fragment, and a fragment that happens to fit the schema is a wrong answer.
- A document that is complete but refused (a draft, the schema repeated) is passed
  over for a later one, and stands in the end where none comes.
- Of several that are accepted the last one that stands alone counts, or else the
  last: on lines of its own, in a fence, or behind a colon at the end of a line. So
  an example within a sentence is no answer, and a draft is replaced.
- What stands in reasoning never counts. Reasoning ends in many ways: some servers
  cut off the sign at which it begins, or pass on the channels of a model's own
  format. Where its end comes without a beginning, all before it was reasoning.
- Strings, numbers and literals count at the beginning of a block only. Whether more
  follows them is known at the end of the text.

Reading goes on where a candidate died, never behind it, so all of this is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from .partial import Partial, Place, Violation, moved

# A larger piece is read in slices, so that a limit is noticed near to where it lies.
_SLICE = 64 * 1024
_REASONS = "think(?:ing)?|thoughts?|reasoning|reflection|scratchpad"
_OPENS = rf"<(?:[a-z]{{1,8}}:)?(?:{_REASONS})>|THINK\]|\u25c1think\u25b7|<\|START_THINKING\|>"
_CLOSES = (
    rf"</(?:[a-z]{{1,8}}:)?(?:{_REASONS})>|/THINK\]|\u25c1/think\u25b7|<\|END_THINKING\|>"
    # The last channel of a format of channels; the second time as it reads without its signs.
    r"|<\|channel\|>final\b|assistantfinal"
)
_CHANNEL = r"<\|channel\|>"
_SIGN = re.compile(
    rf"(?P<mark>[\[{{])|(?P<fence>```)|(?P<closes>{_CLOSES})|(?P<opens>{_OPENS}|{_CHANNEL})",
    re.IGNORECASE,
)
_END = re.compile(
    rf"(?P<closes>{_CLOSES})|(?P<next><\|(?:end|start|return|call)\|>)", re.IGNORECASE
)
# A sign of which the text may hold no more than the beginning.
_LONGEST_SIGN = 48
_CUT_SIGN = re.compile(
    r"(?:`{1,2}|<[^<>\s]{0,40}|<\|channel\|>f?i?n?a?|\u25c1[^\u25b7\s]{0,8}|/|/?T(?:H(?:I(?:NK?)?)?)?"
    r"|a(?:s(?:s(?:i(?:s(?:t(?:a(?:n(?:t(?:f(?:i(?:na?)?)?)?)?)?)?)?)?)?)?)?)\Z",
    re.IGNORECASE,
)
#: Behind what a document stands alone, on its line, and before what.
_LABEL = re.compile(r"(?:^|[:>=])[\s`*_]*\Z")
_TAIL = re.compile(r"[ \t.;`*_]*+")
#: Characters of the line before a document that are looked at, and of blanks behind it.
_LINE = 200
_BLANK = re.compile(r"[\s\ufeff]*+")
_INFO = re.compile(r"[\w+.#-]*+")
#: The mark that a value begins with -> the types that its schema may call it.
_KINDS: dict[str, frozenset[str]] = {
    "{": frozenset({"object"}),
    "[": frozenset({"array"}),
    '"': frozenset({"string"}),
    "t": frozenset({"boolean"}),
    "f": frozenset({"boolean"}),
    "n": frozenset({"null"}),
} | dict.fromkeys("-0123456789", frozenset({"number", "integer"}))


def _anything(_: Any) -> bool:
    return True


class Finder:
    """Reads a model's text and holds the document in it, as far as it has come."""

    def __init__(
        self, roots: Collection[str] | None = None, accepts: Callable[[Any], bool] = _anything
    ) -> None:
        """`roots` are the types that the document may have; `accepts` judges a complete one."""
        #: The document to be shown; another one may take its place.
        self.shown: Partial | None = None
        self._roots = roots
        self._accepts = accepts
        self._held = ""
        # A place in the current text, and the index at which it is.
        self._place = (1, 1)
        self._placed = 0
        self._read = self._prose
        self._block = True
        self._reasoning_end = ""
        self._candidate: Partial | None = None
        self._kind = ""
        self._in_block = False
        # The end of the text before the current one, and whether what begins there opens a line.
        self._before = ""
        self._opens = False
        # A complete document of which it is not known yet what follows, and whether it is accepted.
        self._settling: tuple[Partial, bool] | None = None
        self._void()

    def _void(self) -> None:
        """Forget what was found: it was reasoning."""
        # The best accepted document, whether it stands alone, and a refused one that does after it.
        self._best: Partial | None = None
        self._alone = False
        self._overruled: Partial | None = None
        # What stands where nothing better comes: an accepted scalar, a refused document.
        self._scalar: Partial | None = None
        self._refused: Partial | None = None
        self._dead: Violation | None = None
        self._violation: Violation | None = None
        self.shown = None

    def feed(self, text: str) -> None:
        """Read a piece of the model's text. Raises Violation, until a later piece voids it."""
        for begin in range(0, len(text), _SLICE):
            self._feed(text[begin : begin + _SLICE])
        if self._violation:
            raise self._violation

    def finish(self) -> Any:
        """The text is over: return the value of its document, which may be a refused one."""
        if self._candidate:
            self._end_candidate(self._candidate)
        if self._settling:
            self._settle(*self._settling, alone=self._opens)
        if self._violation:
            raise self._violation
        found = self._overruled or self._best or self._scalar or self._refused
        if not found:
            end = moved(self._place, self._held)
            raise self._dead or Violation(end, "there is no JSON value in the answer")
        self.shown = found
        return found.value

    def _feed(self, text: str) -> None:
        text = self._held + text
        self._held = ""
        at = 0
        while at < len(text):
            at = self._read(text, at)
        read = len(text) - len(self._held)
        self._place_of(text, read)
        self._placed = 0
        self._before = (self._before + text[max(0, read - _LINE) : read])[-_LINE:]

    # The ways of reading. Each returns the index at which to go on.

    def _prose(self, text: str, at: int) -> int:
        if self._block:
            blank = _BLANK.match(text, at)
            at = blank.end() if blank else at
            if at < len(text) and self._may_begin(text[at]):
                return self._begin(text, at)
        sign = _SIGN.search(text, at)
        cut = _CUT_SIGN.search(text, max(at, len(text) - _LONGEST_SIGN))
        if not sign or (cut and cut.start() <= sign.start()):
            end = cut.start() if cut else len(text)
            self._held = text[end:]
            self._block = self._block and end == at
            return len(text)
        self._block = self._block and sign.start() == at
        if sign["mark"]:
            return self._begin(text, sign.start())
        if sign["fence"]:
            self._read = self._info
        elif sign["closes"]:
            self._end_reasoning()
        else:
            self._read = self._reasoning
        return sign.end()

    def _info(self, text: str, at: int) -> int:
        """Pass over the word behind a code fence that names the language."""
        word = _INFO.match(text, at)
        end = word.end() if word else at
        if end < len(text):
            self._block = True
            self._read = self._prose
        return end

    def _reasoning(self, text: str, at: int) -> int:
        """Pass over reasoning whose beginning was seen; what was found before it still counts."""
        end = _END.search(text, at)
        cut = _CUT_SIGN.search(text, max(at, len(text) - _LONGEST_SIGN))
        if not end or (cut and cut.start() <= end.start()):
            self._held = text[cut.start() if cut else len(text) :]
            return len(text)
        self._block = True
        self._read = self._prose
        return end.end()

    def _lost(self, text: str, at: int) -> int:
        """Pass over what follows a broken document, unless it proves to have been reasoning."""
        end = _END.search(text, at)
        cut = _CUT_SIGN.search(text, max(at, len(text) - _LONGEST_SIGN))
        if not end or (cut and cut.start() <= end.start()):
            self._held = text[cut.start() if cut else len(text) :]
            return len(text)
        if end["closes"]:
            self._end_reasoning()
        return end.end()

    def _end_reasoning(self) -> None:
        self._void()
        self._block = True
        self._read = self._prose

    def _after(self, text: str, at: int) -> int:
        """Look whether a complete document stands alone; what follows it is still to be read."""
        assert self._settling
        tail = _TAIL.match(text, at)
        end = tail.end() if tail else at
        if end == len(text) and end - at < _LINE:
            self._held = text[at:]
            return end
        alone = self._opens and text[end : end + 1] in "\r\n<"
        self._settle(*self._settling, alone=alone)
        return at

    def _json(self, text: str, at: int) -> int:
        candidate = self._candidate
        assert candidate
        try:
            end = candidate.feed(text, at)
        except Violation as violation:
            return self._drop(candidate, violation, text, at)
        if candidate.complete:
            self._end(candidate)
        elif not self._best and self._is_document(candidate):
            self.shown = candidate
        return end

    # Candidates.

    def _place_of(self, text: str, at: int) -> Place:
        self._place = moved(self._place, text[self._placed : at])
        self._placed = at
        return self._place

    def _may_begin(self, mark: str) -> bool:
        """Whether a scalar may begin with this mark."""
        return mark not in "[{" and mark in _KINDS and self._allowed(mark)

    def _allowed(self, mark: str) -> bool:
        return self._roots is None or not _KINDS[mark].isdisjoint(self._roots)

    def _begin(self, text: str, at: int) -> int:
        self._candidate = Partial(self._place_of(text, at))
        self._kind = text[at]
        line = (self._before + text[max(0, at - _LINE) : at])[-_LINE:].rpartition("\n")[2]
        self._opens = self._block or bool(_LABEL.search(line))
        self._in_block, self._block = self._block, False
        self._read = self._json
        # Its first character belongs to it whatever comes of it: so reading always goes on.
        return max(self._json(text, at), at + 1)

    def _is_document(self, candidate: Partial) -> bool:
        if not self._allowed(self._kind) or not candidate.begun:
            return False
        listed = candidate.listed and self._allowed("[")
        return self._in_block or candidate.named or listed

    def _drop(self, candidate: Partial, violation: Violation, text: str = "", at: int = 0) -> int:
        """A candidate has turned out to be no JSON; returns where to go on."""
        document = candidate.named or self._is_document(candidate)
        self._leave()
        if document and self._kind in "[{":
            if self._opens or not self._best:
                self._violation = violation
            self._read = self._lost
        else:
            self._dead = self._dead or violation
        return max(at, candidate.at)

    def _end(self, candidate: Partial) -> None:
        """A candidate is complete."""
        accepted = self._allowed(self._kind) and self._accepts(candidate.value)
        self._leave()
        if self._kind in "[{":
            if not self._best and (accepted or self._is_best_refused(candidate)):
                self.shown = candidate if accepted or self._is_document(candidate) else self.shown
            self._settling = candidate, accepted
            self._read = self._after
        elif accepted:
            self._scalar = self._scalar or candidate
            self.shown = self.shown if self._best else self._scalar
        elif self._is_best_refused(candidate):
            self._refused = candidate

    def _settle(self, candidate: Partial, accepted: bool, *, alone: bool) -> None:
        """It is known how a complete document stands: say whether it counts."""
        self._settling = None
        self._read = self._prose
        if not accepted:
            if self._is_best_refused(candidate):
                self._refused = candidate
            if self._best and alone and not self._alone:
                self._overruled = candidate
        elif alone or not self._alone:
            self._best, self._alone, self._overruled = candidate, alone, None
            self._violation = None
            self.shown = candidate

    def _is_best_refused(self, candidate: Partial) -> bool:
        return not self._refused or candidate.size > self._refused.size

    def _end_candidate(self, candidate: Partial) -> None:
        """The text is over within a candidate."""
        try:
            candidate.finish()
        except Violation as violation:
            self._drop(candidate, violation)
        else:
            self._end(candidate)

    def _leave(self) -> None:
        self._candidate = None
        self._read = self._prose
