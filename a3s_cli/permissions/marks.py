"""Characters that stand, in the text of a command, for what they are not.

Apart from the commands that hold them, because rules know the characters and most runs
judge no command.
"""

from __future__ import annotations

import re

#: Stands in a word's text for what is known only when the script runs. No
#: script can hold it: bash cannot be given a NUL.
UNKNOWN = "\0"
#: Stand for the wildcards `*`, `?` and `[` of a word that the shell expands.
STAR, QUESTION, BRACKET = "\x1c", "\x1d", "\x1e"
#: Everything in a word's text that is not known before the script runs.
NOT_KNOWN = re.compile(f"[{UNKNOWN}{STAR}{QUESTION}{BRACKET}]")
#: Stands, behind `UNKNOWN`, for the elements of an array that is written out.
ELEMENTS = "\x19"
#: Stands for a blank inside a word where words are joined by blanks: "a b" is one word.
JOINED = "\x1f"
#: Stands for a `*` that is quoted in a pattern, and so is only a character.
LITERAL_STAR = "\x1a"
