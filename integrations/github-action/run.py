"""The one step of the action that does something: run, judge, and tell GitHub.

A pull request is somebody else's text. It must not choose what the agent is
told, may do, or is judged by, so every file that an input names is read out of
the base commit with `git cat-file`, never from the checkout. Of the checkout,
a3s reads neither AGENTS.md nor a configuration (`--no-project`).

A value leaves through `$GITHUB_OUTPUT` behind a delimiter that nobody can guess
and that the value does not contain: it can neither end early nor set another
output.
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

#: GitHub refuses an output beyond 1 MiB.
LARGEST = 512 * 1024
#: Inputs that name files, and how those are called where the run finds them.
FILES = {
    "prompt-file": "prompt.md",
    "permissions": "permissions.acl",
    "policy": "policy.toml",
    "schema": "schema.json",
}
A3S = str(Path(sys.executable).with_name("a3s"))


def main() -> int:
    """Run the prompt and judge the run; the status is that of the first that failed."""
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
    """Write down what the run needs, outside the checkout, and give where each file is."""
    if (os.environ["INPUT_PROMPT"] == "") == (os.environ["INPUT_PROMPT_FILE"] == ""):
        sys.exit("a3s: give either prompt or prompt-file")
    named = {name: os.environ[f"INPUT_{name.replace('-', '_').upper()}"] for name in FILES}
    contents = {name: from_base(path) for name, path in named.items() if path}
    contents.setdefault("prompt-file", os.environ["INPUT_PROMPT"].encode())
    for name, content in contents.items():
        (work / FILES[name]).write_bytes(content)
    return {name: str(work / FILES[name]) for name in contents}


def run(files: dict[str, str], recording: Path) -> int:
    """Run the prompt; the page for people goes to the log."""
    command = [A3S, "run", "--no-project", "--output", "pretty", "--record", str(recording)]
    command += ["--cwd", os.environ["GITHUB_WORKSPACE"]]
    if model := os.environ["INPUT_MODEL"]:
        command.append(f"--model={model}")
    for name, path in files.items():
        if name != "policy":
            command += [f"--{name}", path]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def judge(files: dict[str, str], recording: Path) -> int:
    """Let `a3s audit` say its verdict: as an output, in annotations and in the step's summary."""
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
    """Give a file of the base commit."""
    commit = base_commit()
    if git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
        # A checkout is usually one commit deep.
        fetch = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1")
        if (fetched := git(*fetch, "origin", commit)).returncode:
            why = fetched.stderr.decode(errors="replace")
            sys.exit(f"a3s: the base commit {commit} cannot be fetched: {why}")
    content = git("cat-file", "blob", f"{commit}:{path}")
    if content.returncode:
        sys.exit(f"a3s: the base commit {commit} has no file {path!r}")
    return content.stdout


def base_commit() -> str:
    """Give the commit that whoever proposes a change has not written."""
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
    """Give the text of the last turn, whole: that of `end` may be cut."""
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
    """Show the answer in the summary as text: nothing in it becomes a link or an image."""
    fence = "`" * (1 + max([2, *map(len, re.findall("`+", text))]))
    with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
        file.write(f"\n{fence}text\n{text[:LARGEST]}\n{fence}\n")


if __name__ == "__main__":
    sys.exit(main())
