"""Clients of databases: which of their words and options run commands or write files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .marks import UNKNOWN
from .shell_found import Reach, Risk, Word

_SQLITE_PLAIN = re.compile(
    r"\.(?:tables|schema|databases|indexes|indices|headers?|mode|dump|width|nullvalue|show|help"
    r"|timer|stats|echo|bail|changes|separator|eqp|explain|fullschema|limit|parameter|exit|quit"
    r"|print|version|vfslist|dbinfo|expert|lint)\b[^|\n]*\Z"
)
_SQL_RUNS = re.compile(
    r"(?:^|[;\n])\s*[.\\]|\\!|\\[gow]\s*\|?|load_extension|edit\s*\(|writefile|fts3_tokenizer"
    r"|(?:^|[;\n])\s*(?:system|source|tee|pager|delimiter|edit)\b",
    re.IGNORECASE,
)
_SQL_WRITES = re.compile(
    r"into\s+(?:out|dump)file|copy\s.*\bprogram\b|attach|vacuum\b[^;]*\binto", re.IGNORECASE
)
#: What stands before the text of an option: `-e`, `-qc`, `--execute=`.
_SQL_OPTION = re.compile(r"--[a-z-]+=|-[A-Za-z]*?[ec](?=.)")
#: With one of these a client takes its commands from its words, or only answers.
_SQL_GIVEN = re.compile(
    r"-[A-Za-z]*[ecfl].*|--(?:c|e|f|list|version|help).*|-V|-\?|-(?:cmd|version|help)"
)
#: psql's own commands that describe and list.
_PSQL_PLAIN = re.compile(
    r"\\(?:d[A-Za-z]*|l|x|z|conninfo|timing|encoding|sf|sv)\+?(?:\s+[\w.*]+)?\s*"
)
_SQL_OPTIONS = re.compile(
    r"-init|-cmd|--init.*|--pager.*|--load.*|-f|--file.*|-o.+|--output=.*|-L.*|--log-file.*"
    r"|--defaults.*|--plugin-dir.*"
)


def sql_risks(words: Sequence[Word]) -> list[Risk]:
    """Judge the commands that a client is given; those of its input are not seen."""
    found = []
    name = words[0].text.rpartition("/")[2]
    operands = [word for word in words[1:] if not word.text.startswith("-")]
    given = len(operands) > 1 if name == "sqlite3" else False
    if not given and not any(_SQL_GIVEN.fullmatch(word.text) for word in words[1:]):
        found.append(Risk(len(words), f"`{name}` runs the commands of its input", "changes"))
    for index, word in enumerate(words):
        if not index:
            continue
        text = word.text
        if option := _SQL_OPTION.match(text):
            text = text[option.end() :]
        if name == "sqlite3" and _SQLITE_PLAIN.match(text):
            continue
        if name == "psql" and _PSQL_PLAIN.fullmatch(text):
            continue
        if _SQL_RUNS.search(text) or _SQL_WRITES.search(text):
            found.append(Risk(index, f"`{name}` can run commands or write files by this"))
        elif _SQL_OPTIONS.fullmatch(word.text) or (text in ("-o", "--output") and name == "psql"):
            file = re.fullmatch(r"-f|--file.*|-init|--init", text)
            far: Reach = "changes" if file and not _input(words, index) else "anything"
            found.append(Risk(index, f"`{name} {text}` can run other programs", far))
        elif word.may_be_option:
            reason = f"an argument of `{name}` that is known only when it runs can be a command"
            found.append(Risk(index, reason))
    return found


def _input(words: Sequence[Word], index: int) -> bool:
    """Whether an option's value is the command's own input, or is not known."""
    _, equals, value = words[index].text.partition("=")
    file = value if equals else "".join(each.text for each in words[index + 1 : index + 2])
    return file in ("", "-") or file.startswith("/dev/") or UNKNOWN in file
