"""The main step of the action: run the prompt, audit the run, and set the outputs.

A pull request is untrusted text. It must not choose the agent's task, its rules or
the audit policy, so every file that an input names is read from the base commit
with `git cat-file`, never from the checkout. a3s reads neither AGENTS.md nor a
configuration from the checkout (`--no-project`).

Values are written to `$GITHUB_OUTPUT` with a random delimiter that the value does
not contain: a value can neither end early nor set another output.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess  # noqa: TID251 - a script of its own, which starts git and a3s
import sys
import tempfile
from pathlib import Path
from typing import Any

#: The largest output, in bytes; GitHub refuses more than 1 MiB.
LARGEST = 512 * 1024
#: Inputs that name files, with the names of their copies for the run.
FILES = {
    "prompt-file": "prompt.md",
    "permissions": "permissions.acl",
    "policy": "policy.toml",
    "schema": "schema.json",
}
A3S = str(Path(sys.executable).with_name("a3s"))


def main() -> int:
    """Run the prompt and audit the run; return the status of the first that failed."""
    work = Path(tempfile.mkdtemp(prefix="a3s-", dir=os.environ["RUNNER_TEMP"]))
    recording = work / "run.ndjson"
    files = inputs(work)
    status = run(files, recording)
    if not recording.exists():
        return status
    events = [json.loads(line) for line in recording.read_bytes().splitlines()]
    put("recording", str(recording))
    put("run-id", events[0]["runId"])
    put("text", answer(events))
    if "object" in events[-1]:
        put("object", json.dumps(events[-1]["object"], ensure_ascii=False))
    judged = judge(files, recording)
    summarize(answer(events))
    return status or judged


def inputs(work: Path) -> dict[str, str]:
    """Write the files that the run needs, outside the checkout; return their paths."""
    if (os.environ["INPUT_PROMPT"] == "") == (os.environ["INPUT_PROMPT_FILE"] == ""):
        sys.exit("a3s: give either prompt or prompt-file")
    named = {name: os.environ[f"INPUT_{name.replace('-', '_').upper()}"] for name in FILES}
    contents = {name: from_base(path) for name, path in named.items() if path}
    contents.setdefault("prompt-file", os.environ["INPUT_PROMPT"].encode())
    for name, content in contents.items():
        (work / FILES[name]).write_bytes(content)
    return {name: str(work / FILES[name]) for name in contents}


def run(files: dict[str, str], recording: Path) -> int:
    """Run the prompt; the pretty rendering goes to the log."""
    command = [A3S, "run", "--no-project", "--output", "pretty", "--record", str(recording)]
    command += ["--cwd", os.environ["GITHUB_WORKSPACE"]]
    if model := os.environ["INPUT_MODEL"]:
        command.append(f"--model={model}")
    for name, path in files.items():
        if name != "policy":
            command += [f"--{name}", path]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def judge(files: dict[str, str], recording: Path) -> int:
    """Run `a3s audit`; report its verdict as an output, annotations and in the step summary."""
    command = [A3S, "audit", "--verify"]
    if "policy" in files:
        command += ["--policy", files["policy"]]
    found = subprocess.run(
        [*command, "--output", "json", str(recording)], stdout=subprocess.PIPE, check=False
    )
    if found.stdout:
        put("verdict", json.loads(found.stdout)["verdict"])
    subprocess.run([*command, "--output", "github", str(recording)], check=False)
    return found.returncode


# -- the base commit ---------------------------------------------------------------


def from_base(path: str) -> bytes:
    """Return the content of a file in the base commit."""
    commit = base_commit()
    if git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
        # Checkouts are usually only one commit deep.
        fetch = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1")
        if (fetched := git(*fetch, "origin", commit)).returncode:
            why = fetched.stderr.decode(errors="replace")
            sys.exit(f"a3s: the base commit {commit} cannot be fetched: {why}")
    content = git("cat-file", "blob", f"{commit}:{path}")
    if content.returncode:
        sys.exit(f"a3s: the base commit {commit} has no file {path!r}")
    return content.stdout


def base_commit() -> str:
    """Return the base commit, which the author of a pull request cannot change."""
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    if pull_request := event.get("pull_request"):
        commit = pull_request["base"]["sha"]
    elif merge_group := event.get("merge_group"):
        commit = merge_group["base_sha"]
    else:
        commit = os.environ["GITHUB_SHA"]
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        sys.exit(f"a3s: {commit!r} is no commit")
    return str(commit)


def git(*words: str) -> subprocess.CompletedProcess[bytes]:
    workspace = os.environ["GITHUB_WORKSPACE"]
    # In a container the checkout belongs to another user.
    command = ["git", "-C", workspace, "-c", f"safe.directory={workspace}", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


# -- what GitHub is told -----------------------------------------------------------


def answer(events: list[dict[str, Any]]) -> str:
    """Return the complete text of the last turn; that of `end` may be cut."""
    text = ""
    for event in events:
        if event["type"] == "turn_start":
            text = ""
        elif event["type"] == "text_delta":
            text += event["text"]
    return text


def put(name: str, value: str) -> None:
    """Set an output."""
    value = value.encode()[:LARGEST].decode(errors="ignore")
    delimiter = secrets.token_hex(16)
    while delimiter in value:
        delimiter = secrets.token_hex(16)
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8", newline="") as file:
        file.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


def summarize(text: str) -> None:
    """Show the answer in the summary as plain text, without links or images."""
    fence = "`" * (1 + max([2, *map(len, re.findall("`+", text))]))
    with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
        file.write(f"\n{fence}text\n{text[:LARGEST]}\n{fence}\n")


if __name__ == "__main__":
    sys.exit(main())
