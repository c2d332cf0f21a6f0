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
_SIGN = re.compile(r"[\[{]|```|<think(?:ing)?>")
_CUT_SIGN = re.compile(r"(?:`{1,2}|<[a-z]{0,8})\Z")
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
        #: Whether an accepted document is complete: what follows is of no interest.
        self.done = False
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
        # What stands where nothing better comes: an accepted scalar, a refused document.
        self._scalar: Partial | None = None
        self._refused: Partial | None = None
        self._dead: Violation | None = None
        self._violation: Violation | None = None

    def feed(self, text: str) -> None:
        """Read a piece of the model's text. Raises Violation, and again ever after."""
        if self._violation:
            raise self._violation
        for begin in range(0, len(text), _SLICE):
            if self.done:
                return
            self._feed(text[begin : begin + _SLICE])

    def finish(self) -> Any:
        """Return the value of the finished text's document, which may be a refused one."""
        if self._violation:
            raise self._violation
        if self._candidate and not self.done:
            self._end_candidate(self._candidate)
        found = self.shown if self.done else self._scalar or self._refused
        if not found:
            end = moved(self._place, self._held)
            raise self._dead or Violation(end, "there is no JSON value in the answer")
        self.shown = found
        return found.value

    def _feed(self, text: str) -> None:
        text = self._held + text
        self._held = ""
        at = 0
        while at < len(text) and not self.done:
            at = self._read(text, at)
        self._place_of(text, len(text) - len(self._held))
        self._placed = 0

    # The ways of reading. Each returns the index at which to go on.

    def _prose(self, text: str, at: int) -> int:
        if self._block:
            blank = _BLANK.match(text, at)
            at = blank.end() if blank else at
            if at < len(text) and self._may_begin(text[at]):
                return self._begin(text, at)
        sign = _SIGN.search(text, at)
        if not sign:
            cut = _CUT_SIGN.search(text, max(at, len(text) - 10))
            end = cut.start() if cut else len(text)
            self._held = text[end:]
            self._block = self._block and end == at
            return len(text)
        self._block = self._block and sign.start() == at
        if sign.group() in "[{":
            return self._begin(text, sign.start())
        self._read = self._info
        if sign.group() != "```":
            self._reasoning_end = f"</{sign.group()[1:]}"
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
        end = text.find(self._reasoning_end, at)
        if end < 0:
            self._held = text[max(at, len(text) - len(self._reasoning_end) + 1) :]
            return len(text)
        self._block = True
        self._read = self._prose
        return end + len(self._reasoning_end)

    def _json(self, text: str, at: int) -> int:
        candidate = self._candidate
        assert candidate
        try:
            end = candidate.feed(text, at)
        except Violation as violation:
            self._drop(candidate, violation)
            return max(at, candidate.at)
        if candidate.complete:
            self._end(candidate)
        elif self._is_document(candidate):
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
        self._in_block, self._block = self._block, False
        self._read = self._json
        # Its first character belongs to it whatever comes of it: so reading always goes on.
        return max(self._json(text, at), at + 1)

    def _is_document(self, candidate: Partial) -> bool:
        if not self._allowed(self._kind) or not candidate.begun:
            return False
        listed = candidate.listed and self._allowed("[")
        return self._in_block or candidate.named or listed

    def _drop(self, candidate: Partial, violation: Violation) -> None:
        """A candidate has turned out to be no JSON."""
        document = candidate.named or self._is_document(candidate)
        if document and self._kind in "[{":
            self._violation = violation
            raise violation
        self._dead = self._dead or violation
        self._leave()

    def _end(self, candidate: Partial) -> None:
        """A candidate is complete."""
        accepted = self._allowed(self._kind) and self._accepts(candidate.value)
        self._leave()
        if accepted and self._kind in "[{":
            self.done = True
            self.shown = candidate
        elif accepted:
            self._scalar = self.shown = self._scalar or candidate
        elif not self._refused or candidate.size > self._refused.size:
            self._refused = candidate
            if self._is_document(candidate):
                self.shown = candidate

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
