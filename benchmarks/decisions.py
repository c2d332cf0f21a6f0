"""Measure what a decision on a script costs: milliseconds of the processor, kind by kind.

    python -m benchmarks decisions [BYTES]

Each kind of script fills as many bytes, 10,000 without an argument, which is the most that
is judged. It is judged under a few rules, under 60 rules in a real workspace, and, shortened
to what has not too many commands and steps to be judged whole, under a few rules again.
The best of several decisions counts. What is printed are facts of this machine, and the
tests count work instead. The status is 1 when a decision takes 5 ms or more.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from a3s_cli.files.workspace import Workspace
from a3s_cli.permissions.places import OnDisk, Places
from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.permissions.shell import commands
from a3s_cli.tool_protocol import Subject

MOST_MS = 5.0
ROUNDS = 15
RULES = {"allow": ["bash(git:*)", "bash(pytest:*)"], "deny": ["bash(rm:*)", "bash(git push:*)"]}
MANY_RULES = {
    "allow": [
        f"bash({each}:*)"
        for each in (
            "git status", "git diff", "git log", "git show", "git add", "git commit", "git branch",
            "git checkout", "pytest", "ruff check", "ruff format", "mypy", "uv run pytest",
            "uv sync", "npm test", "npm run build", "npm run lint", "npx tsc", "cargo build",
            "cargo test", "go build", "go test", "make", "ls", "cat", "head", "tail", "grep", "rg",
            "find", "sed -n", "wc", "sort", "uniq", "cut", "tr", "diff", "jq", "mkdir", "touch",
        )
    ],
    "deny": [
        f"bash({each}:*)"
        for each in (
            "rm", "git push", "git reset --hard", "git clean", "sudo", "su", "ssh", "scp", "curl",
            "wget", "nc", "dd", "mkfs", "chmod", "chown", "kill", "pkill", "docker",
            "npm publish", "./deploy.sh",
        )
    ],
}  # fmt: skip
_BODY = "return 1\n" * 40

#: One step of a script, by its number.
KINDS: dict[str, Callable[[int], str]] = {
    "a build, step by step": lambda n: (
        f"# Step {n}: test what was built, and keep what it says for the next one.\n"
        f"python -m pytest tests/test_{n}.py -q --tb=short 2>&1 | tail -n 20\n"
        f'if [ -f "dist/{n}.whl" ]; then\n  git add "dist/{n}.whl"\nfi\n'
        f'echo "step {n} is done in $PWD"\n\n'
    ),
    "a file in a here-document": lambda n: f"cat > f{n}.py <<'E'\n{_BODY}E\n",
    "the same command again": lambda _: "git status --short; ",
    "short commands": lambda n: f"a{n};",
    "many words": lambda n: f"git add {' '.join(f'src/m{n}_{k}.py' for k in range(40))}\n",
    "many options": lambda n: f"git log -{n} --stat --oneline -p\n",
    "variables": lambda n: f'cp "$a{n}/x" $b{n}/y\n',
    "substitutions": lambda n: f'echo "$(git rev-parse v{n})" $((n{n} + 1)) ${{x:-{n}}}\n',
    "loops": lambda n: f'for f in src/{n}/*.py; do grep -c TODO "$f" || echo none; done\n',
    "deep quoting": lambda _: "echo " + '$(echo "x ' * 20 + "y" + '")' * 20 + "\n",
    "wrappers": lambda n: f"timeout 5 env A=1 nice make {n}\n",
    "redirections": lambda n: f"a >b{n} 2>&1 </x\n",
    "assignments": lambda n: f"v{n}=1\n",
    "directories": lambda n: f"(cd d{n} && make)\n",
    "tests": lambda n: f'if [ "$a{n}" = x ]; then b; fi\n',
    "double brackets": lambda n: f"[[ $a == b{n} && -f c ]]\n",
    "cases": lambda n: f"case $x in a{n}) b;; *) c;; esac\n",
    "functions": lambda n: f"f{n}() {{ ls; }}\n",
    "arrays": lambda n: f"a{n}=(1 2 3)\n",
    "pipes": lambda n: " | ".join(f"a{n}{k}" for k in range(10)) + "\n",
    "searches": lambda n: f"find . -name '*.{n}' | xargs grep x\n",
    "scripts in scripts": lambda n: f"bash -c 'ls {n}'\n",
    "escapes": lambda n: f"""echo "a'{n}'b" 'x"{n}' a\\ b\n""",
    "wildcards": lambda n: f"ls *.{n}?[a]\n",
    "reading": lambda n: f"grep -n TODO src/m{n}.py | head -{n}\n",
    "redirections of one command": lambda n: f"{'a' if n == 1000 else ''} >b{n}",
}


def script(kind: str, size: int) -> str:
    """Return a script of at most as many bytes."""
    text, number = "", 1000
    while len(text) + len(step := KINDS[kind](number)) <= size:
        text += step
        number += 1
    return text


def judged_whole(kind: str, size: int) -> str:
    """Return the longest that is not too long to be judged."""
    low, high = 0, size
    while low < high:
        middle = (low + high + 1) // 2
        doubts = commands(script(kind, middle)).doubts
        if any("too long" in doubt.reason for doubt in doubts):
            high = middle - 1
        else:
            low = middle
    return script(kind, low)


def cost(
    text: str, rules: dict[str, list[str]] = RULES, places: Places | None = None
) -> tuple[float, Decision]:
    """Return the milliseconds that the fastest decision takes, and the decision."""
    policy = Policy(allow=rules["allow"], deny=rules["deny"], tools=["bash", "write"], reading=True)
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        decision = policy.decide("bash", Subject("command", text), confined=True, places=places)
        best = min(best, time.process_time() - begun)
    return best * 1000, decision


def main() -> int:
    """Print one line for each kind of script."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(
        f"{'script':<27}{'bytes':>7}{'commands':>10}{'ms':>8}{'60 rules':>10}{'whole':>8}  decision"
    )
    worst = 0.0
    with tempfile.TemporaryDirectory() as directory:
        places = OnDisk(Workspace(Path(directory)))
        for kind in KINDS:
            text = script(kind, size)
            taken, decision = cost(text)
            many, _ = cost(text, MANY_RULES, places)
            whole, _ = cost(judged_whole(kind, size))
            worst = max(worst, taken, many, whole)
            seen = len(decision.commands)
            print(
                f"{kind:<27}{len(text):>7}{seen:>10}{taken:>8.2f}{many:>10.2f}{whole:>8.2f}"
                f"  {decision.decision}"
            )
    return 0 if worst < MOST_MS else 1


if __name__ == "__main__":
    sys.exit(main())
