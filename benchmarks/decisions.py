"""Measure what a decision on a script costs: milliseconds of the processor, kind by kind.

    python -m benchmarks decisions [BYTES]

Each kind of script fills as many bytes, 10,000 without an argument, which is the most that
is judged. The best of several decisions counts. What is printed are facts of this machine,
and the tests count work instead. The status is 1 when a decision takes 5 ms or more.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.tool_protocol import Subject

MOST_MS = 5.0
ROUNDS = 15
RULES = {"allow": ["bash(git:*)", "bash(pytest:*)"], "deny": ["bash(rm:*)", "bash(git push:*)"]}
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
    "redirections of one command": lambda n: f"{'a' if n == 1000 else ''} >b{n}",
}


def script(kind: str, size: int) -> str:
    """Return a script of at most as many bytes."""
    text, number = "", 1000
    while len(text) + len(step := KINDS[kind](number)) <= size:
        text += step
        number += 1
    return text


def cost(text: str) -> tuple[float, Decision]:
    """Return the milliseconds that the fastest decision takes, and the decision."""
    policy = Policy(**RULES, tools=["bash", "write"], reading=True)
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        decision = policy.decide("bash", Subject("command", text), confined=True)
        best = min(best, time.process_time() - begun)
    return best * 1000, decision


def main() -> int:
    """Print one line for each kind of script."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{'script':<27}{'bytes':>7}{'commands':>10}{'ms':>8}  decision")
    worst = 0.0
    for kind in KINDS:
        text = script(kind, size)
        taken, decision = cost(text)
        worst = max(worst, taken)
        seen = len(decision.commands)
        print(f"{kind:<27}{len(text):>7}{seen:>10}{taken:>8.2f}  {decision.decision}")
    return 0 if worst < MOST_MS else 1


if __name__ == "__main__":
    sys.exit(main())
