# What a contributor types; `just` alone lists it. Everything that has to hold is in .ci/run.

venv := env("A3S_VENV", ".venv")
python := venv / "bin/python"

_list:
    @just --list --unsorted

# Set up the environment that the other recipes use.
setup:
    test -x {{python}} || python3 -m venv {{venv}}
    {{python}} -m pip install --quiet --editable '.[test,local]'

# Format, lint, types, and the tests that take seconds.
fast: check
    {{python}} -m pytest -q -n 2 tests/test_layers.py tests/test_imports.py tests/test_laws.py

# Format, lint and types.
check:
    {{venv}}/bin/ruff format --check .
    {{venv}}/bin/ruff check .
    {{venv}}/bin/mypy

# The tests, or those that are named: `just test tests/tools`.
test *arguments:
    {{python}} -m pytest -q -n 3 --dist=worksteal {{arguments}}

# Write the manual pages and the completions, and the picture of a terminal session.
docs:
    {{python}} -m a3s_cli.manual
    {{python}} -m tests.test_picture

# Everything that has to hold, as CI runs it.
ci *arguments:
    .ci/run {{arguments}}

# The proofs that need longer: races by the thousand, whole tables, real servers.
heavy *arguments:
    .ci/heavy {{arguments}}
