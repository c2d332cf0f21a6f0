"""Does a value satisfy a JSON Schema, and if not, where and why?

Draft 2020-12 by `jsonschema-rs`, complete; another draft where `$schema` names
it. Nothing is ever fetched. A regular expression runs in linear time where it
can, and one that looks around or back gives up after so many steps, so that no
pattern can hang a run. Imported at the first call of a tool: most of its cost
falls into the time that a model thinks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: More violations than this help neither a model nor a person.
MOST = 8
#: Characters of one violation's sentence.
LONGEST = 300
#: What a regular expression may cost: steps of going back, and bytes once compiled.
_STEPS, _COMPILED = 100_000, 4 * 1024 * 1024


class SchemaError(ValueError):
    """The schema itself is wrong: where (empty for its root), and why."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}" if path else problem)


class Validator:
    """One schema, compiled. Raises SchemaError for what is no schema."""

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

    def is_valid(self, value: Any) -> bool:
        """Say whether a value satisfies the schema; by far the cheaper question."""
        return bool(self._validator.is_valid(value))

    def violations(self, value: Any) -> Iterator[tuple[str, str]]:
        """Give (path, sentence) of each violation, `MOST` at most; the root's path is empty."""
        for number, error in enumerate(self._validator.iter_errors(value)):
            if number == MOST:
                return
            yield _told(error)


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Give the violations as "path: sentence"; empty when the value is valid."""
    found = Validator(schema).violations(value)
    return [f"{path}: {message}" if path else message for path, message in found]


def _told(error: Any) -> tuple[str, str]:
    path = ".".join(str(step) for step in error.instance_path)
    message = error.message
    if outside := re.match(r"Resource '(.*?)' is not present in a registry", message):
        message = f"a reference leads out of the schema, to {outside[1]}, and nothing is fetched"
    if len(message) > LONGEST:
        # The value in question comes first, what is wrong with it last.
        message = f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
    return path, message
