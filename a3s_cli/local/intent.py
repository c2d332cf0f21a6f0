"""What a prompt asks for, as far as its words show it: a call first, a change, a number.

A small model often says what it would do instead of doing it. Whether a prompt can be
answered without a look at the directory is mostly plain from its words: it names a file, a
program to run, or what is here. Then the answer has to begin with a call. The rules are
deliberately few and cautious: a prompt that none of them knows is the model's to judge.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

#: A name with an ending, perhaps with directories: `src/a.py`, `.env`.
_NAME = re.compile(r"(?<![\w./~:@-])(?:[\w~.-]+/)*[\w-]*\.[A-Za-z]\w{0,7}(?![\w@/(-])")
_QUOTED = re.compile(r"`([^`\n]+)`")
_WORD = re.compile(r"[\w./~-]+")
_COMMAND = re.compile(
    r"\b(?:use|run|running|execute|call|using|via)\s+(?:the\s+)?(?:command\s+|program\s+)?"
    r"[`'\"]?([\w.-]+)",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:here|(?:this|the|current|working)\s+(?:current\s+|working\s+)?"
    r"(?:directory|folder|repo(?:sitory)?|project|workspace|machine|computer|system"
    r"|code(?:base)?|package|library|app(?:lication)?)"
    r"|(?:which|what|all|any|every|the|each|find|list|count|many|largest|biggest|newest|oldest|"
    r"smallest)\s+(?:\S+\s+){0,3}?(?:files?|folders?|director(?:y|ies)))\b",
    re.IGNORECASE,
)
_GENERAL = re.compile(
    r"\b(?:how (?:do|can|would|should) (?:i|you|we|one)|what(?: is|'s) an?"
    r"|difference between)\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:create|write|make|add(?!\s+up)|append|insert|delete|remove|erase|rename|move|copy|change"
    r"|replace|set|update|fix|repair|correct|edit|sort|save|put|extract|convert|refactor|generate"
    r"|implement|touch|store|modify|adjust|turn|swap|drop|get rid of|clean|tidy|give|increase"
    r"|decrease|raise|lower|reduce|bump|enable|disable|merge|split|reformat|rewrite"
    r"|should (?:be|have|return|print|say|read|use)|has a bug|needs?)\b",
    re.IGNORECASE,
)
#: What makes a change of what else would be a question: "find … and save them".
_THEN = re.compile(
    r"\b(?:and|then)\s+(?:\w+\s+){0,2}?(?:save|write|put|store|create|append|add|move|copy|delete"
    r"|remove|replace|rename|fix|change)\b",
    re.IGNORECASE,
)
#: What is said to be polite.
_POLITE = re.compile(
    r"^\W*(?:(?:hi|hello|hey|ok|so|now|please|kindly|just|help me(?: to)?"
    r"|(?:can|could|would|will) you|i (?:want|need|would like) (?:you )?to"
    r"|i'd like (?:you )?to|let's)[\s,!.]+)+",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^\W*(?:(?:(?:give|get) (?:me|us) (?:the|all|every|each|a list)|which|what|who|where|why"
    r"|when|how|is|are|does|do|did|can|show|print|display|list|count|explain|describe|summari[sz]e|find|tell|look|read|search|run|execute|use)\b)",
    re.IGNORECASE,
)
#: Changes of what is there, and those that add to it.
_ALTER = re.compile(
    r"\b(?:fix|bug|repair|correct|wrong|broken|should (?:be|return)|rename|change|replace|set"
    r"|update|remove|delete|sort|refactor|give\b.*\bname)\b",
    re.IGNORECASE,
)
_FIX = re.compile(
    r"\b(?:fix|bug|repair|correct|wrong|broken|mend|solve|syntax|crash\w*)\b", re.IGNORECASE
)
_ADD = re.compile(
    r"\b(?:add|append|insert|write|create|put|save|extract|store|generate|implement)\b",
    re.IGNORECASE,
)
_MORE = re.compile(r"\b(?:add(?!\s+up)|append|insert)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\b(?:how (?:many|much|often|big|large|long)|count|number of|sum|total|average|size|add up)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:files?|folders?|director(?:y|ies)|lines?|words?|functions?|tests?|class(?:es)?)\b",
    re.IGNORECASE,
)
#: What cannot be answered by a look into one file.
_DOES = re.compile(
    r"\b(?:run|runs|running|execute|print|prints|output|outputs|result|use|find|search|grep|lines?"
    r"|words?|git|test|tests|pass)\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"(?:please\s+)?(?:(?:list|show|name)\s+(?:me\s+)?(?:all\s+)?(?:of\s+)?(?:the\s+)?"
    r"(?:files|folders|directories|contents|entries)"
    r"|(?:which|what)\s+(?:files|folders|directories)\s+(?:are|exist|do (?:i|we) have)"
    r"|what(?:'s|\s+is)\s+in\s+(?:this|the)\s+(?:current\s+)?(?:folder|directory))\b"
    r"(?:\s+(?:there|are|in|of|here|this|the|current|working|directory|folder|\S+/|[\w.-]+))*"
    r"\s*[.?!]?",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"(?:please\s+)?(?:show|print|display|cat|output|open)\s+(?:me\s+)?(?:the\s+)?"
    r"(?:(?:whole\s+|full\s+)?(?:contents?|text)\s+of\s+)?(?:the\s+)?(?:file\s+)?"
    r"[`'\"]?([^\s`'\"]+?)[`'\"]?\s*[.!?]?",
    re.IGNORECASE,
)
#: What chooses some of the files that are listed.
_PICKS = re.compile(
    r"\b(?:not|with|that|which are|empty|contain\w*|mention\w*|larger|smaller|newer|older|than|"
    r"executable|hidden|largest|biggest|smallest|newest|oldest)\b",
    re.IGNORECASE,
)
#: What a command says of this machine, its user, and the history of this directory.
_MACHINE = re.compile(
    r"\bwho am i\b|\bwhat time is it\b|\bwhat day is (?:it|today)\b"
    r"|\b(?:which|what|my|this|current)\s+(?:(?!of\b)\S+\s+){0,2}?(?:user(?:name)?|account|os"
    r"|operating system|distro|distribution|kernel|host ?name|shell|cpu|architecture)\b(?![-\w])"
    r"|\b(?:current|today's)\s+(?:date|time)\b|\b(?:is|are|have)\b.*\binstalled\b"
    r"|\b(?:free|disk|available|used)\s+(?:disk\s+)?(?:space|memory)\b"
    r"|\bhow (?:much|many)\s+(?:\S+\s+)?(?:memory|ram|cpus?|cores|processors)\b",
    re.IGNORECASE,
)
_HISTORY = re.compile(
    r"\b(?:last|latest|recent|newest|previous|first|current|my|which|all|any|every|show|list|many"
    r"|the)\b(?:\s+\S+){0,3}?\s+(?:commits?|branch(?:es)?|stash(?:es)?)\b"
    r"|\b(?:uncommitted|unstaged|staged|git (?:status|log|diff))\b",
    re.IGNORECASE,
)
#: Something of the code whose place is asked for.
_OF_CODE = "(?:class|function|method|variable|constant)"
WHERE = (
    r"\bwhere\b.*\b(?:defined|declared|used|called|implemented|imported|mentioned)\b"
    rf"|\bwhere\b.*\b{_OF_CODE}\b|\b{_OF_CODE}\b.*\bwhere\b"
)
#: What is looked for in the files.
_SEARCHED = re.compile(
    r"\b(?:TODO|FIXME)s?\b|\b(?:find|search|grep|look)\b.*(?:[`'\"]|\b(?:code|functions?|class(?:es)?"
    r"|methods?|variables?|imports?|usages?|uses|occurrences?|references?|definitions?|comments?"
    rf"|lines?|tests?)\b)|{WHERE}",
    re.IGNORECASE,
)
_RUN_TOO = re.compile(
    r"(?:\b(?:and|then|also)|[,.;])\s+(?:(?:and|then|also)\s+)?(?:run|execute|start)\b"
    r"|\b(?:run|execute)\s+(?:it|them)\b|\bwhat (?:does|do) (?:it|they) print\b",
    re.IGNORECASE,
)
#: What `_COMMAND` may find that is also an ordinary word of such a sentence.
_NO_PROGRAM = frozenset(("it", "a", "an", "the", "this", "that", "test", "tests", "file", "time"))


def needs_call(prompt: str, workspace: Path) -> bool:
    """Return whether the answer must begin with a call."""
    if _GENERAL.search(prompt) and not mentioned(prompt, workspace):
        return False
    return bool(
        program(prompt)
        or is_about_machine(prompt)
        or _HERE.search(prompt)
        or _SEARCHED.search(prompt)
        or _NAME.search(prompt)
        or mentioned(prompt, workspace)
    )


def is_about_machine(prompt: str) -> bool:
    """Return whether only a command knows: the user, the system, the history of a repository."""
    return bool(_MACHINE.search(prompt) or _HISTORY.search(prompt))


def fixes(prompt: str) -> bool:
    """Return whether something that is wrong is to be put right."""
    return bool(_FIX.search(without_names(prompt)))


def wants_run(prompt: str) -> bool:
    """Return whether what is made is to be run as well."""
    return bool(_RUN_TOO.search(prompt))


def wants_change(prompt: str, workspace: Path) -> bool:
    """Return whether something in the directory has to be another afterwards."""
    return may_change(prompt) and _changes(prompt) and needs_call(prompt, workspace)


def may_change(prompt: str) -> bool:
    """Return whether files may be changed: not for what is only a question."""
    return _changes(prompt) or not _QUESTION.match(plain(prompt))


def _changes(prompt: str) -> bool:
    words = plain(without_names(prompt))
    if _QUESTION.match(words):
        return bool(_THEN.search(words))
    return bool(_CHANGE.search(words))


def plain(prompt: str) -> str:
    """Return a prompt without what is said in front of it to be polite."""
    return _POLITE.sub("", prompt).strip()


def alters(prompt: str) -> bool:
    """Return whether what is there has to be another, and nothing is to be added."""
    words = without_names(prompt)
    return bool(_ALTER.search(words) and not _ADD.search(words))


def adds(prompt: str) -> bool:
    """Return whether something is to be added, and what is there stays as it is."""
    words = without_names(prompt)
    return bool(_MORE.search(words) and not _ALTER.search(words))


def without_names(prompt: str) -> str:
    """Return a prompt without the names of its files."""
    return _NAME.sub("", prompt)


def name_in(word: str) -> str:
    """Return the name of a file in a word; empty if it has none."""
    match = _NAME.search(word)
    return match[0] if match else ""


def counts(prompt: str) -> bool:
    """Return whether things in the directory are to be counted."""
    return bool(_HERE.search(prompt) or _COUNTED.search(prompt))


def wants_number(prompt: str) -> bool:
    """Return whether the answer is a number."""
    return bool(_NUMBER.search(prompt))


def wants_list(prompt: str) -> bool:
    """Return whether the answer is the names of what a directory holds."""
    return bool(_LIST.fullmatch(plain(prompt))) and not _PICKS.search(prompt)


def program(prompt: str) -> str:
    """Return the program that the prompt says to use; empty if it names none that is here."""
    found = [match[1].rstrip(".") for match in _COMMAND.finditer(prompt)]
    found += [words.split()[0] for words in _QUOTED.findall(prompt) if words.strip()]
    for name in found:
        if name.lower() not in _NO_PROGRAM and "/" not in name and shutil.which(name):
            return name
    return ""


def shown(prompt: str, workspace: Path) -> str:
    """Return the file that the prompt wants to see as it is; empty if it wants something else."""
    match = _SHOW.fullmatch(plain(prompt))
    if not match:
        return ""
    path = match[1]
    return path if _NAME.fullmatch(path) or path in mentioned(prompt, workspace) else ""


def to_be_read(prompt: str, workspace: Path) -> bool:
    """Return whether the answer is what one file says."""
    if may_change(prompt) or wants_number(prompt) or _DOES.search(prompt):
        return False
    return len(files(prompt, workspace)) == 1


def files(prompt: str, workspace: Path) -> list[str]:
    """Return the files of the workspace that the prompt names."""
    return [path for path in mentioned(prompt, workspace) if (workspace / path).is_file()]


def mentioned(prompt: str, workspace: Path) -> list[str]:
    """Return the files and directories of the workspace that the prompt names."""
    found = []
    for word in dict.fromkeys(_WORD.findall(prompt)):
        path = word.strip(".") if not word.startswith(".") else word.rstrip(".")
        plain = path.islower() and path.isalpha()
        if path in ("", ".", "..", "/") or (plain and not (workspace / path).is_dir()):
            continue
        if os.path.lexists(workspace / path):
            found.append(path)
    return found
