"""A bash script -> the simple commands that it would run, and what hides more of them.

The script is parsed (tree-sitter) and its tree is walked; no pattern is ever
tried on the script as a whole. The grammar is not bash, and every place where
the two disagree is a way past a rule, so the walk believes nothing: each byte
of the script is either read again by bash's own rules (`shell_words`), or a
token that belongs where it stands, or a blank. Whatever is left over is a
doubt, and a script with a doubt is never allowed by a pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .shell_commands import COMMANDS, Commands
from .shell_expansions import MAX_DEPTH, REDIRECTS
from .shell_found import Parsed
from .shell_words import names

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

#: Longer scripts are not read: no person can judge them at a glance either.
MAX_BYTES = 10_000
#: Scripts inside scripts: `bash -c`, `eval`, `trap` …
MAX_NESTED = 16
_TOKENS = names(
    "; & && || | |& ( ) { } ! if then elif else fi while until do done for in case esac"
)
_CASE_ENDS = frozenset({";;", ";&", ";;&"})
_SEQUENCES = names(
    "program list pipeline negated_command subshell compound_statement do_group if_statement"
    " elif_clause else_clause while_statement for_statement case_statement case_item"
)
_WORDS = names(
    "word string raw_string ansi_c_string translated_string concatenation number simple_expansion"
    " expansion command_substitution process_substitution arithmetic_expansion brace_expression"
    " extglob_pattern variable_name special_variable_name array subscript"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
#: The grammar's scanner indexes tables of 256 by whole characters: `{` before U+F006F
#: crashes the process. To bash any such byte is a plain part of a word, as a dot is.
_ASCII = bytes(byte if byte < 128 else ord(".") for byte in range(256))
#: These compute in `[[`, and computing can run commands; `[` takes plain numbers.
_NUMERIC = names("-eq -ne -lt -le -gt -ge")
_TEST_OPERATORS = names(
    "-a -b -c -d -e -f -g -h -k -n -o -p -r -s -t -u -w -x -z -G -L -N -O -S -nt -ot -ef = == != !"
)


def commands(script: str) -> Parsed:
    """Find what a script would run; never raises."""
    parsed = Parsed()
    _read(script, parsed)
    return parsed


def _read(script: str, parsed: Parsed) -> None:
    if _CONTROL.search(script):
        parsed.doubt("the script contains control characters")
        return
    source = script.encode()
    if len(source) > MAX_BYTES:
        parsed.doubt(f"the script is longer than {MAX_BYTES} bytes")
        return
    root = _parser().parse(source.translate(_ASCII)).root_node
    if root.has_error:
        parsed.doubt("the script cannot be parsed")
    _Walk(source, parsed).sequence(root)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class _Walk(Commands):
    """The highest layer: statements, and the tokens between them."""

    def sequence(self, node: Node) -> None:
        """Walk statements, words and the tokens that join them."""
        # The root begins at its first token, whatever stands before that.
        whole = node.parent is None
        at, separated = 0 if whole else node.start_byte, True
        for child in node.children:
            separated = self._gap(at, child.start_byte) or separated
            at = child.end_byte
            if not child.is_named:
                separated = True
                if child.type not in _TOKENS and not (
                    node.type == "case_item" and child.type in _CASE_ENDS
                ):
                    self._doubt(f"the script cannot be parsed at `{child.type.strip()}`")
            elif child.type == "comment":
                self._comment(child)
            elif child.type == "variable_name":
                self._assigned(self._raw(child).decode(), None)
            elif child.type in _WORDS:
                self._word(child.start_byte, child.end_byte, child)
            else:
                if not separated:
                    self._doubt("two commands are not separated")
                separated = child.type in ("elif_clause", "else_clause", "case_item", "do_group")
                self._statement(child)
        self._gap(at, len(self._source) if whole else node.end_byte)

    def _statement(self, node: Node) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._doubt("the script is nested too deeply")
        elif node.type in _SEQUENCES:
            self.sequence(node)
        elif node.type in COMMANDS:
            self._simple(node)
        elif node.type == "redirected_statement":
            self._redirected(node)
        elif node.type == "function_definition":
            self._function(node)
        elif node.type == "test_command":
            self._test(node)
        else:
            self._doubt("the script cannot be parsed")
            self._scavenge(node)
        self._depth -= 1

    def _scavenge(self, node: Node) -> None:
        """Find the commands in what is not understood, for the rules that deny."""
        rest = list(node.children)
        while rest:
            child = rest.pop()
            if child.type in COMMANDS or child.type in _SEQUENCES:
                self._statement(child)
            elif child.type == "redirected_statement":
                self._redirected(child)
            else:
                rest.extend(child.children)

    def _redirected(self, node: Node) -> None:
        body = node.children[0]
        if body.type in REDIRECTS or body.type in COMMANDS:
            self._simple(node)
            return
        self._gap(body.end_byte, body.end_byte)
        self._statement(body)
        items = [item for child in node.children[1:] for item in self._items(child)]
        if self._run(self._merged(items, body.end_byte)):
            self._doubt("the script cannot be parsed after a redirection")

    def _function(self, node: Node) -> None:
        self._parsed.doubt("it defines a function", hidden=False)
        for child in node.children:
            if child.type in REDIRECTS:
                self._doubt("a function is redirected")
            elif child.is_named and child.type not in _WORDS:
                self._statement(child)

    def _test(self, node: Node) -> None:
        """Walk `[ … ]` and `[[ … ]]`; what they compute can run commands (`-v`, `-eq`, `=~`)."""
        single = node.children[0].type == "["
        rest, at = list(reversed(node.children)), node.start_byte
        while rest:
            child = rest.pop()
            if child.type in _WORDS:
                self._gap(at, child.start_byte)
                word = self._word(child.start_byte, child.end_byte, child)
                if single and word.splits:
                    self._doubt("a test has an unquoted expansion")
                at = child.end_byte
            elif child.child_count:
                if child.is_error:
                    self._scavenge(child)
                else:
                    rest.extend(reversed(child.children))
            else:
                self._gap(at, child.start_byte)
                at = child.end_byte
                text = self._raw(child).decode("utf-8", "replace")
                joins = _NUMERIC | {"[", "]"} if single else names("[[ ]] ( ) && ||")
                if text not in joins and text not in _TEST_OPERATORS:
                    self._doubt(f"a test can run commands by `{text}`")

    def _nested(self, script: str) -> None:
        self._parsed.nested += 1
        if self._parsed.nested > MAX_NESTED:
            self._doubt("too many scripts are nested")
        else:
            _read(script, self._parsed)
