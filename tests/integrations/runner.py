"""As much of a GitHub runner as the composite action needs: it reads `action.yml` and runs it.

Expressions are evaluated where the runner does so, and nowhere else; each `run`
is a file for bash with the runner's own options; outputs are read back from the
file by the runner's rules. Steps that `use` another action are only told of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..support.a3s import Bench
from ..support.server import Server

ACTION = Path(__file__).parents[2] / "integrations/github-action"
#: Seconds for a step; an installation on a busy machine takes its time.
BOUND = 300.0
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Job:
    """What a job leaves behind."""

    status: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    #: `with` of the steps that use another action.
    used: dict[str, dict[str, str]] = field(default_factory=dict)


def run_action(
    a3s: Bench, server: Server, temp: Path, checkout: Path, event: dict[str, Any],
    inputs: Mapping[str, str], env: Mapping[str, str],
) -> Job:  # fmt: skip
    """Run the steps in their order; after a failed one only those that ask for it."""
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    given = {name: inputs.get(name, one["default"]) for name, one in action["inputs"].items()}
    assert set(inputs) <= set(given), "an input that the action does not know"
    (temp / "event.json").write_text(json.dumps(event))
    context = {f"inputs.{name}": value for name, value in given.items()}
    context |= {"github.job": "review", "github.run_attempt": "1"}
    job = Job()
    for number, step in enumerate(action["runs"]["steps"]):
        if not _wanted(step.get("if", "success()"), job.status == 0, context):
            continue
        if step["name"] == "Install" and (temp / "a3s/bin/a3s").exists():
            continue  # By an earlier job.
        if "uses" in step:
            job.used[step["uses"]] = {k: _filled(v, context) for k, v in step["with"].items()}
            continue
        files = {name: temp / f"{name}-{number}" for name in ("output", "summary", "script")}
        for file in files.values():
            file.write_text("")
        assert "${{" not in step["run"], "an expression in a script is an injection"
        files["script"].write_text(step["run"])
        environment = {
            **env,
            **{name: _filled(value, context) for name, value in step.get("env", {}).items()},
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_WORKSPACE": str(checkout),
            "RUNNER_TEMP": str(temp),
        }
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(files["script"])]
        result = a3s.start(shell, server, "none", False, env=environment, cwd=checkout).finish(
            BOUND
        )
        job.log += result.stdout.decode() + result.stderr.decode()
        job.summary += files["summary"].read_text()
        job.status = job.status or result.status
        outputs = _outputs(files["output"].read_bytes().decode())
        context |= {f"steps.{step.get('id')}.outputs.{k}": v for k, v in outputs.items()}
    job.outputs = {k: _filled(one["value"], context) for k, one in action["outputs"].items()}
    return job


def _filled(text: str, context: Mapping[str, str]) -> str:
    """Evaluate once: what a value holds is never looked at again."""
    return EXPRESSION.sub(lambda found: _value(found[1], context), str(text))


def _value(name: str, context: Mapping[str, str]) -> str:
    assert name in context or name.startswith("steps."), f"unknown: {name}"
    return context.get(name, "")


def _wanted(condition: str, success: bool, context: Mapping[str, str]) -> bool:
    parts = EXPRESSION.sub(r"\1", condition).split(" && ")
    truth = {"success()": success, "always()": True}
    return all(
        truth[part] if part in truth else _value(part.removesuffix(" != ''"), context) != ""
        for part in parts
    )


def _outputs(text: str) -> dict[str, str]:
    """Read `name=value` and `name<<DELIMITER`; what is neither is an error of the job."""
    found = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, mark, rest = re.match(r"([^=<]*)(=|<<)(.*)", line).groups()  # type: ignore[union-attr]
        if mark == "<<":
            value: list[str] = []
            while (one := next(lines)) != rest:
                value.append(one)
            rest = "\n".join(value)
        found[name] = rest
    return found
