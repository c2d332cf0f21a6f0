"""Does a value satisfy a JSON Schema, and if not, where and why?

Draft 2020-12 in full, by `jsonschema-rs`, or the draft that `$schema` names.
Nothing is ever fetched. Regular expressions run in linear time where they can;
lookarounds and backreferences give up after a fixed number of steps, so that no
pattern can hang a run. Imported at the first tool call, mostly while the model
is busy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Most violations to report: more help neither a model nor a person.
MOST = 8
#: Most characters of one violation's sentence.
LONGEST = 300
#: Limits of a regular expression: backtracking steps, and bytes once compiled.
_STEPS, _COMPILED = 100_000, 4 * 1024 * 1024


class SchemaError(ValueError):
    """The schema itself is invalid: its path (empty at the root) and the problem."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}" if path else problem)


#: What is wrong with a text that no parser has to accept.
LONE = "a string in it contains half a surrogate pair"


class Validator:
    """One compiled schema. Raises SchemaError if the schema is invalid."""

    def __init__(self, schema: dict[str, Any] | bool) -> None:
        import jsonschema_rs

        regexes = jsonschema_rs.FancyRegexOptions(
            backtrack_limit=_STEPS, size_limit=_COMPILED, dfa_size_limit=_COMPILED
        )
        try:
            self._validator = jsonschema_rs.validator_for(
                schema, validate_formats=True, offline=True, pattern_options=regexes
            )
        except jsonschema_rs.ValidationError as error:
            raise SchemaError(*_told(error)) from None
        except ValueError:
            raise SchemaError("", LONE) from None

    def is_valid(self, value: Any) -> bool:
        """Return whether a value satisfies the schema. Much cheaper than `violations`."""
        try:
            return bool(self._validator.is_valid(value))
        except ValueError:
            return False

    def violations(self, value: Any) -> Iterator[tuple[str, str]]:
        """Yield (path, sentence) of at most `MOST` violations; the root's path is empty."""
        try:
            for number, error in enumerate(self._validator.iter_errors(value)):
                if number == MOST:
                    return
                yield _told(error)
        except ValueError:
            yield "", LONE


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Return the violations as "path: sentence"; empty if the value is valid."""
    found = Validator(schema).violations(value)
    return [f"{path}: {message}" if path else message for path, message in found]


def _told(error: Any) -> tuple[str, str]:
    path = ".".join(str(step) for step in error.instance_path)
    message = error.message
    if outside := re.match(r"Resource '(.*?)' is not present in a registry", message):
        message = f"the reference {outside[1]} leads out of the schema, and nothing is fetched"
    if len(message) > LONGEST:
        # The value comes first, the violation last.
        message = f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
    return path, message
