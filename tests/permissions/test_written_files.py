"""A rule that denies `write` holds for what commands write to by their operands."""

from __future__ import annotations

import pytest

from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.permissions.rule_pattern import path_may_match
from a3s_cli.tool_protocol import Subject

TOOLS = ["bash", "read", "write", "edit"]
WRITES = [
    "cp a secrets/x",
    "cp a secrets",
    "cp -t secrets a",
    "mv a secrets/",
    "mv secrets/x .",
    "ln -s a secrets/l",
    "install -m 644 a secrets/x",
    "tee secrets/x",
    "touch secrets/x",
    "truncate -s 0 secrets/x",
    "dd if=a of=secrets/x",
    "sed -i s/a/b/ secrets/x",
    "sed --in-place=.bak -e s/a/b/ secrets/x",
    "rsync -a src/ secrets/",
    "tar -C secrets -xf a.tar",
    "tar xf a.tar -C secrets",
    "tar czf secrets/a.tgz src",
    "unzip -d secrets a.zip",
    "mkdir -p secrets/d",
    "rm secrets/x",
    "rm -rf secrets",
    "rm -rf .",
    "chmod 600 secrets/x",
    "chown -R a secrets",
    "git checkout -- secrets/x",
    "git restore secrets/x",
    "git mv secrets/x a",
    "git rm secrets/x",
    "curl -o secrets/x https://e.org",
    "curl -fsSLo secrets/x https://e.org",
    "wget -O secrets/x https://e.org",
    "wget -P secrets https://e.org/x",
    "cd secrets && touch x",
    "rm secrets/*",
    "rm s*/x",
    "timeout 5 rm secrets/x",
    "echo x > secrets/x",
    "sort -o secrets/x a",
    "gcc -o secrets/x a.c",
    "find . -name a -exec cp a secrets/x \\;",
    "env A=1 cp a ./secrets/../secrets/x",
    "mv secrets old",
    "go build -o secrets/x .",
    "perl -pi -e s/a/b/ secrets/x",
    "gzip secrets/x",
    "cp --target-directory=secrets a",
    "python3 -m x --output secrets/x",
    "black secrets/x.py",
    "patch secrets/x < a.diff",
    "ed secrets/x",
    "zip secrets/a.zip b",
    "mv src/../secrets/a b",
]
WRITES_ELSEWHERE = [
    "cp secrets/x a",
    "cat secrets/x",
    "cp a b",
    "rm -rf build",
    "mkdir -p out",
    "sed s/a/b/ secrets/x",
    "tar xf a.tar",
    "git checkout main",
    "git add secrets/x",
    "grep -o x secrets/x",
    "tar tf secrets/a.tar",
    "tar xf secrets/a.tar",
    "wc -l secrets/x",
    "ls secrets",
    "rm *.pyc",
    "chmod +x run.sh",
    "touch a && cd src && make",
    "curl -o out.json https://e.org",
    "npm run build",
    "diff a secrets/x",
    "rsync -a secrets/ out/",
    "unzip secrets/a.zip -d out",
    "echo secrets/x > list",
    "pytest -o x=secrets/x tests",
    "git rm --cached a",
    "ln -s secrets/x link",
    "rm -rf src/*.o node_modules",
    "mv a.txt b.txt",
]
NOT_KNOWN = ["rm -rf $DIRECTORY", 'cp a "$1"', "find . -name a | xargs rm", "cp a s$x"]


def decide(script: str, *deny: str) -> Decision:
    policy = Policy(allow=["bash"], deny=deny, tools=TOOLS)
    return policy.decide("bash", Subject("command", script))


@pytest.mark.parametrize("script", WRITES)
def test_what_writes_to_a_denied_file_is_denied(script: str) -> None:
    for rule in ("write(secrets/**)", "edit(secrets/**)"):
        decision = decide(script, rule)
        assert (decision.decision, decision.rule) == ("deny", rule), decision.reason


@pytest.mark.parametrize("script", WRITES_ELSEWHERE)
def test_what_writes_elsewhere_is_not_affected(script: str) -> None:
    assert decide(script, "write(secrets/**)").decision == "allow"


@pytest.mark.parametrize("script", NOT_KNOWN)
def test_a_file_that_is_known_only_when_it_runs_asks(script: str) -> None:
    assert decide(script, "write(secrets/**)").decision == "ask"


def test_a_single_file_is_guarded_as_well() -> None:
    for script in ("cp x .env", "cp .env.sample .env", "cp conf/.env .", "rm -f .e*", "mv .env a"):
        assert decide(script, "write(.env)").decision == "deny"
    for script in ("cp x .env.sample", "rm -rf build", "cp .env a/", "rm *.log"):
        assert decide(script, "write(.env)").decision == "allow"


def test_wildcards_on_both_sides() -> None:
    assert path_may_match("keys/*.pem", "keys/*", below=False)
    assert path_may_match("keys/*.pem", "k*/a.p?m", below=False)
    assert not path_may_match("keys/*.pem", "keys/*.txt", below=False)
    assert path_may_match("a/b/*.c", "a", below=True)
    assert not path_may_match("a/b/*.c", "a", below=False)
    assert not path_may_match("**/*.c", "a", below=True)
