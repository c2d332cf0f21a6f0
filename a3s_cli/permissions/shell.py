"""A bash script -> the simple commands that it would run, and what hides more of them.

The script is read by bash's own rules (`shell_words`, `shell_statements`), and what
is not understood is a doubt: a script with a doubt is never allowed by a pattern.
A second reader, tree-sitter's grammar, is asked for its opinion: a command that it
sees and the first one does not is a doubt as well.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .shell_arithmetic import COUNTED, Unreadable
from .shell_found import Parsed, TooLong, names
from .shell_statements import Statements

if TYPE_CHECKING:
    from tree_sitter import Parser, Query

#: Longer scripts are not read: no person can judge them at a glance either.
MAX_BYTES = 10_000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
#: Where one reader may take for quoted, or for a command, what another does not. Without any
#: of these a script is flat: words, quotes, variables, redirections, loops and conditions.
#: Each begins with the letter that is searched for; what stands before that is asked behind it.
_NESTS = re.compile(
    r"""`|\\|\$['"]|\$\{(?!\w+\})|\{(?<!\$\{)|<<|\((?<=[^\s;&|]\()|\(\(|\[\[|;;|\#(?<=\S\#)"""
    r"""|case\b(?<=\bcase)|coproc\b(?<=\bcoproc)|function\b(?<=\bfunction)"""
    r"""|select\b(?<=\bselect)|time\b(?<=\btime)"""
)
_COUNTED = re.compile(COUNTED)
#: After these a name may be another command than the program.
_RENAMES = re.compile(
    r"\balias\b|\bhash\b|\benable\b|\bfunction\b|\b(?:wc|nproc|date|grep|stat)\s*\(\s*\)"
)
#: What the grammar takes for the name of a command, and bash for a word of its own.
_GRAMMAR = names("} ) { ! [[ ]] time coproc in then else elif fi do done esac")


def commands(script: str) -> Parsed:
    """Find what a script would run; never raises."""
    parsed = Parsed()
    if _CONTROL.search(script):
        parsed.doubt("the script contains control characters")
        return parsed
    if len(script) > MAX_BYTES or len(script.encode()) > MAX_BYTES:
        parsed.doubt(f"the script is longer than {MAX_BYTES} bytes")
        return parsed
    reader = Statements(script, parsed)
    try:
        reader.script()
    except TooLong as error:
        parsed.doubt(f"the script is too long: {error}")
    except Unreadable as error:
        parsed.doubt(f"the script cannot be parsed: {error}")
    else:
        if (_NESTS.search(script) or not script.isascii()) and _unseen(reader):
            parsed.doubt("the script can be read in two ways")
    if _COUNTED.search(script) and _RENAMES.search(script):
        parsed.doubt("a function or an alias could take the place of a program that counts")
    for name in parsed.computed:
        if not parsed.assigned.get(name, True):
            parsed.doubt(f"it computes with {name}, which could hold a command")
    return parsed


def _unseen(reader: Statements) -> bool:
    """Whether the grammar sees a command where the reader sees none."""
    parser, query = _parser()
    text = reader.text
    # The grammar's scanner indexes tables of 256 by whole characters, and `{` before U+F006F
    # crashes the process. To bash any such character is a plain part of a word, as a dot is.
    plain = text if text.isascii() else _BEYOND_ASCII.sub(".", text)
    root = parser.parse(plain.encode()).root_node
    if root.has_error:
        return False
    from tree_sitter import QueryCursor

    for node in QueryCursor(query).captures(root).get("name", ()):
        at = node.start_byte
        if at not in reader.starts and text[at : node.end_byte] not in _GRAMMAR:
            return True
    return False


@lru_cache(maxsize=1)
def _parser() -> tuple[Parser, Query]:
    import tree_sitter
    import tree_sitter_bash

    language = tree_sitter.Language(tree_sitter_bash.language())
    query = tree_sitter.Query(language, "(command_name) @name")
    return tree_sitter.Parser(language), query
