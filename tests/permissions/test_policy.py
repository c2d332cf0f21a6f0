"""Who wins, and what a verdict says."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Any

import pytest

from a3s_cli.errors import UsageError
from a3s_cli.permissions.policy import Decision, Policy
from a3s_cli.tool_protocol import Subject

TOOLS = ["bash", "edit", "generate_object", "glob", "grep", "ls", "read", "web_fetch", "write"]
HARMLESS = ["read", "grep", "glob", "ls", "generate_object"]
ROOT = PurePosixPath("/work/[x]*")


def policy(**rules: Any) -> Policy:
    return Policy(tools=TOOLS, **rules)


def bash(script: str, **rules: Any) -> Decision:
    return policy(**rules).decide("bash", Subject("command", script))


def file(tool: str, path: str, **rules: Any) -> str:
    """Decide on a path inside the workspace."""
    whole = PurePosixPath(path) if path.startswith("/") else ROOT / path
    subject = Subject("path", path)
    harmless = tool in HARMLESS
    where = {"path": whole, "root": ROOT}
    return policy(**rules).decide(tool, subject, harmless=harmless, **where).decision


def url(address: str, **rules: Any) -> str:
    return policy(**rules).decide("web_fetch", Subject("url", address)).decision


# -- rules ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("bsh", "the rule 'bsh' is for an unknown tool; did you mean bash?"),
        ("Bash(git:*)", "the rule 'Bash(git:*)' is for an unknown tool; did you mean bash?"),
        ("web-fetch", "the rule 'web-fetch' is for an unknown tool; did you mean web_fetch?"),
        ("zzzzzz", "the rule 'zzzzzz' is for an unknown tool"),
        ("bash(git", "the rule 'bash(git' has an unbalanced parenthesis"),
        ("bash)", "the rule 'bash)' has an unbalanced parenthesis"),
        ("bash(a)b", "the rule 'bash(a)b' has an unbalanced parenthesis"),
        ("bash(a))", "the rule 'bash(a))' has an unbalanced parenthesis"),
        ("bash()", "the rule 'bash()' has an empty pattern"),
        ("bash(:*)", "the rule 'bash(:*)' has an empty pattern"),
        ("", "the rule '' names no tool"),
        ("(a)", "the rule '(a)' names no tool"),
    ],
)
@pytest.mark.parametrize("kind", ["allow", "ask", "deny"])
def test_a_malformed_rule_is_an_error(rule: str, message: str, kind: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy(**{kind: [rule]})
    assert str(caught.value) == message


def test_a_wildcard_in_the_tool_may_match_nothing() -> None:
    assert bash("a", allow=["mcp__*"]).decision == "ask"
    assert bash("a", allow=["ba*"]).rule == "ba*"
    assert bash("a", allow=["bash"], deny=["*"]).decision == "deny"


def test_the_default_decision_is_checked() -> None:
    with pytest.raises(UsageError, match="'yes' is not allow, ask or deny"):
        policy(default_decision="yes")


@pytest.mark.parametrize(
    ("rules", "decision", "rule"),
    [
        ({}, "ask", "default"),
        ({"allow": ["bash"]}, "allow", "bash"),
        ({"allow": ["bash"], "ask": ["bash"]}, "ask", "bash"),
        ({"allow": ["bash"], "ask": ["bash"], "deny": ["bash"]}, "deny", "bash"),
        ({"allow": ["bash(a:*)"]}, "allow", "bash(a:*)"),
        ({"allow": ["bash(a:*)"], "ask": ["bash(a b)"]}, "ask", "bash(a b)"),
        ({"allow": ["bash(a b)"], "deny": ["bash(a:*)"]}, "deny", "bash(a:*)"),
        ({"allow": ["bash"], "deny": ["bash(a b)"]}, "deny", "bash(a b)"),
        ({"allow": ["bash"], "deny": ["bash(c:*)"]}, "allow", "bash"),
        ({"ask": ["bash"], "deny": ["bash(a:*)"]}, "deny", "bash(a:*)"),
        ({"ask": ["bash"], "deny": ["bash(c:*)"], "default_decision": "allow"}, "ask", "bash"),
        ({"default_decision": "allow"}, "allow", "default"),
        ({"default_decision": "deny"}, "deny", "default"),
        ({"default_decision": "deny", "allow": ["bash(a:*)"]}, "allow", "bash(a:*)"),
        ({"default_decision": "allow", "deny": ["bash(c:*)"]}, "allow", "default"),
        ({"default_decision": "allow", "grant_asks": True, "ask": ["bash"]}, "allow", "bash"),
        ({"default_decision": "allow", "grant_asks": True, "deny": ["*(a*)"]}, "deny", "*(a*)"),
    ],
)  # fmt: skip
def test_deny_wins_over_ask_over_allow_over_default(
    rules: dict[str, Any], decision: str, rule: str
) -> None:
    verdict = bash("a b", **rules)
    assert (verdict.decision, verdict.rule) == (decision, rule)


def test_a_verdict_tells_a_person_what_to_do() -> None:
    assert bash("git log -1 && cat 'a b'", allow=["bash(cat:*)"]) == Decision(
        "ask",
        "default",
        "no rule covers `git log -1`",
        "--allow 'bash(git log:*)'",
        ("git log -1", "cat a b"),
        ("bash(git log:*)",),
    )
    assert bash("rm x; ls", deny=["bash(rm:*)"]) == Decision(
        "deny", "bash(rm:*)", "`rm x` is denied by bash(rm:*)", "", ("rm x", "ls")
    )


@pytest.mark.parametrize(
    ("script", "rules", "hint"),
    [
        ("git log --oneline", {}, "--allow 'bash(git log:*)'"),
        ("ls -la", {}, "--allow 'bash(ls:*)'"),
        ("a | b", {}, "--allow 'bash(a:*)' --allow 'bash(b:*)'"),
        ("a | b", {"allow": ["bash(c)"]}, "--allow 'bash(a:*)' --allow 'bash(b:*)'"),
        ("a; b; c; d; e", {"allow": ["bash(x)"]}, "--allow bash"),
        ("a > b", {"allow": ["bash(a:*)"]}, "--allow 'bash(a > b)'"),
        ("cat README.md | head", {}, "--allow 'bash(cat:*)' --allow 'bash(head:*)'"),
        ("uv run pytest -q", {}, "--allow 'bash(uv run pytest:*)'"),
        ("npm test && sort -o b a", {}, "--allow 'bash(npm test:*)' --allow 'bash(sort -o b a)'"),
        ("FOO=1 make", {}, "--allow 'bash(FOO=1 make)'"),
        ("cd web && make test", {}, "--allow 'bash(make test:*)'"),
        ("a '", {}, "--allow bash"),
        ("git -c x=y log", {"allow": ["bash(git:*)"]}, "--allow 'bash(git -c x=y log)'"),
        ("$x", {"deny": ["bash(a)"]}, ""),
        ("a", {"deny": ["bash"]}, ""),
        ("a", {"ask": ["bash(a)"]}, "--allow-all"),
        ("a", {"default_decision": "deny"}, "--allow 'bash(a:*)'"),
    ],
)
def test_the_hint_names_the_narrowest_flag(script: str, rules: dict[str, Any], hint: str) -> None:
    assert bash(script, **rules).hint == hint


# -- commands ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "script", "allowed"),
    [
        ("git status:*", "git status", True),
        ("git status:*", "git status --short", True),
        ("git status:*", "git  status", True),
        ("git status:*", "git 'status' \"--short\"", True),
        ("git status:*", "git statusx", False),
        ("git status:*", "git -C . status", False),
        ("git status:*", "/usr/bin/git status", False),
        ("git status:*", "./git status", False),
        ("git status:*", "'git status'", False),
        ("git status:*", "git $x", False),
        ("echo:*", "echo $x \"$y\" *", True),
        ("echo:*", "echo\n\necho", True),
        ("echo:*", "\\echo", True),
        ("echo a/b", "echo a/b", True),
        ("echo a/b", "echo a/b c", False),
        ("echo a b", "echo 'a b'", False),  # one word
        ("echo 'a b'", "echo \"a b\"", True),
        ("echo 'a *'", "echo 'a b'", False),
        ("echo *", "echo a/b\\\n 'c\nd'", True),
        ("echo *", "echo", True),
        ("echo * c", "echo a b c", True),
        ("echo * c", "echo a $x c", True),
        ("echo * c", "echo $x c", False),  # it may vanish
        ("echo * c", "echo \"$x\" c", True),
        ("echo a", "echo $x", False),
        ("*", "anything at all", True),
        ("*", "timeout 5 a", True),
        ("*", "git -c x=y log", True),
        ("e*", "echo a; exit", True),
        ("e*", "env a", False),
        ("git:*", "git -c x=y log", False),
        ("git -c x=y:*", "git -c x=y log", True),
        ("git -c x=y:*", "git -c x=y -c z=w log", False),
        ("git config:*", "git config a b", True),
        ("git:*", "git config a b", False),
        ("git:*", "git commit -m \"$x\" -- a", True),
        ("git:*", "git commit -m $x", False),
        ("git:*", "git log -p -- src/a.py", True),
        ("git:*", "git --no-pager diff --stat", True),
        ("sort:*", "sort -u a", True),
        ("sort:*", "sort -uo b a", False),
        ("sort:*", "sort --outp=b a", False),
        ("sort -o b:*", "sort -o b a", True),
        ("sort:*", "sort -k2,2 -t o a", True),
        ("sed:*", "sed -n '1,5p' a", True),
        ("sed:*", "sed -E 's/a(b)/\\1/g; 2d' a", True),
        ("sed:*", "sed -i s/a/b/ a", False),
        ("sed:*", "sed --in-pl s/a/b/ a", False),
        ("sed:*", "sed 's/a/b/w c' a", False),
        ("awk:*", "awk '{print $1}' a", True),
        ("awk:*", "awk -F: -v x=1 '{print x}' a", True),
        ("awk:*", "awk '{print > \"b\"}' a", False),
        ("find:*", "find . -name '*.py' -type f", True),
        ("find:*", "find . -delete", False),
        ("find:*", "find . -exec rm {} +", False),
        ("uniq:*", "uniq -c a", True),
        ("uniq:*", "uniq a b", False),
        ("curl:*", "curl -fsSL -X POST https://a", True),
        ("curl:*", "curl -so a https://a", False),
        ("rg:*", "rg -n x .", True),
        ("tee:*", "tee a", False),
        ("tee a", "tee a", True),
        ("npm run test:*", "npm run test-evil", False),
        ("npm run test:*", "npm run test -- --watch", True),
        ("read:*", "read -r line", True),
        ("set:*", "set -euo pipefail", True),
        ("python:*", "python -c 'anything'", True),
    ],
)  # fmt: skip
def test_what_a_pattern_allows(rule: str, script: str, allowed: bool) -> None:
    assert (bash(script, allow=[f"bash({rule})"]).decision == "allow") is allowed


def test_a_wrapper_and_what_it_wraps_must_both_be_covered() -> None:
    script = "timeout 5 echo a"
    assert bash(script, allow=["bash(echo:*)"]).decision == "ask"
    assert bash(script, allow=["bash(timeout:*)"]).decision == "ask"
    assert bash(script, allow=["bash(timeout:*)", "bash(echo:*)"]).decision == "allow"
    assert bash(script, default_decision="allow", deny=["bash(rm:*)"]).decision == "allow"
    assert bash(script, allow=["bash"], deny=["bash(rm:*)"]).decision == "allow"
    assert bash("timeout 5 echo $x", allow=["bash"], deny=["bash(rm:*)"]).decision == "allow"
    assert bash("timeout 5 timeout 5 a", allow=["bash(timeout:*)"]).decision == "ask"
    assert bash("env env a", allow=["bash(env:*)"]).decision == "ask"
    assert bash("bash -c 'echo a'", allow=["bash(bash:*)", "bash(echo:*)"]).decision == "allow"
    assert bash("bash -c 'echo a; b'", allow=["bash(bash:*)", "bash(echo:*)"]).decision == "ask"
    assert bash("bash -ic 'echo a'", allow=["bash(bash:*)", "bash(echo:*)"]).decision == "ask"
    assert bash("timeout 5 echo a", allow=["bash(timeout 5 echo:*)"]).decision == "allow"
    assert bash("timeout 5 make x", allow=["bash(timeout 5 echo:*)"]).decision == "ask"


@pytest.mark.parametrize(
    ("script", "patterns", "default", "bare"),
    [
        ("echo a", "allow", "allow", "allow"),
        ("echo a > b", "ask", "allow", "allow"),
        ("A=1 echo a", "ask", "allow", "allow"),
        ("f() { echo a; }", "ask", "allow", "allow"),
        ("sort -o b a", "ask", "allow", "allow"),
        ("git -c x=y log", "ask", "allow", "allow"),
        ('git -c x="$y" log', "ask", "ask", "ask"),
        ("PATH=. echo a", "ask", "allow", "allow"),
        ("BASH_ENV=x echo a", "ask", "ask", "ask"),
        ("$x", "ask", "ask", "ask"),
        ("echo '", "ask", "ask", "ask"),
        ("", "ask", "allow", "allow"),
        ("# echo", "ask", "allow", "allow"),
        ("x=1", "ask", "allow", "allow"),
    ],
)
def test_the_table_of_doubts(script: str, patterns: str, default: str, bare: str) -> None:
    covered = ["bash(echo:*)", "bash(sort:*)", "bash(git:*)"]
    deny = ["bash(rm:*)"]
    assert bash(script, allow=covered).decision == patterns
    assert bash(script, default_decision="allow", deny=deny).decision == default
    assert bash(script, allow=["bash"], deny=deny).decision == bare
    assert bash(script, default_decision="allow").decision == "allow"
    assert bash(script, allow=["bash", "bash(x:*)"]).decision == "allow"
    assert bash(script, allow=covered, default_decision="deny").decision in ("allow", "deny")


@pytest.mark.parametrize(
    ("deny", "script", "decision"),
    [
        ("git push:*", "git push", "deny"),
        ("git push:*", "git -C . push", "deny"),
        ("git push:*", "git --no-pager -c a=b --git-dir x push -f", "deny"),
        ("git push:*", "git " + "-a " * 100 + "push", "deny"),
        ("docker push:*", "docker " + "-a " * 100 + "push", "ask"),
        ("git push:*", "git log --grep push", "allow"),
        ("git push:*", "git $x", "ask"),
        ("git push:*", "git log $x", "allow"),  # no option of git log runs what it is given
        ("git push:*", "git fetch $x", "ask"),  # --upload-pack runs what it is given
        ("git push:*", "echo $x", "allow"),
        ("rm victim", "nohup --x 1 xargs rm victim", "ask"),
        ("git push:*", "$x push", "ask"),
        ("rm -rf:*", "rm $x", "ask"),
        ("rm -rf /", "rm -rf \"$x\"", "ask"),
        ("rm:*", "rm $x", "deny"),
        ("*secret*", "cat my-secrets", "deny"),
        ("*secret*", "cat $x", "ask"),
        ("*", "a", "deny"),
        ("**", "> a", "deny"),
    ],
)  # fmt: skip
def test_what_a_denial_catches(deny: str, script: str, decision: str) -> None:
    assert bash(script, default_decision="allow", deny=[f"bash({deny})"]).decision == decision


def test_granting_questions_does_not_grant_a_disguise() -> None:
    grant = {"default_decision": "allow", "grant_asks": True}
    assert bash("$x a", **grant).decision == "allow"
    assert bash("$x a", **grant, ask=["bash(rm:*)"]).decision == "allow"
    assert bash("a > b", **grant, deny=["bash(rm:*)"]).decision == "allow"
    assert bash("$x a", **grant, deny=["bash(rm:*)"]).decision == "ask"


# -- files ---------------------------------------------------------------------------------


def test_reading_is_allowed_inside_the_workspace_and_nothing_outside() -> None:
    assert file("read", "a") == "allow"
    assert file("write", "a") == "ask"
    assert file("read", "a", default_decision="deny") == "deny"
    assert file("read", "a", default_decision="deny", allow=["read"]) == "allow"
    assert file("write", "a", default_decision="allow") == "allow"
    assert policy().decide("generate_object", Subject(), harmless=True).decision == "allow"
    for rules in ({}, {"allow": ["read"]}, {"allow": ["*"], "default_decision": "allow"}):
        verdict = policy(**rules, grant_asks=True).decide(
            "read", Subject("path", "/etc/passwd"), harmless=True,
            path=PurePosixPath("/etc/passwd"), inside=False, root=ROOT,
        )  # fmt: skip
        assert verdict == Decision(
            "deny", "workspace", f"/etc/passwd is outside the workspace {ROOT}"
        )


@pytest.mark.parametrize(
    ("pattern", "path", "allowed"),
    [
        ("a.py", "a.py", True),
        ("a.py", "src/a.py", False),
        ("./a.py", "a.py", True),
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "src/deep/a.py", True),
        ("**.py", "src/deep/a.py", True),
        ("**.py", "a.py", True),
        ("src/*", "src/a", True),
        ("src/*", "src/a/b", False),
        ("src/**", "src/a/b", True),
        ("src/**", "src", True),
        ("src/**", "srcs/a", False),
        ("src/**/b", "src/b", True),
        ("[id].ts", "[id].ts", True),
        ("[id].ts", "i.ts", False),
        ("*", "src/a", True),
        ("**", "src/a", True),
        ("a\nb", "a\nb", True),
        (f"{ROOT}/a", "a", True),
        ("/work/*/src/*", "src/a", True),
        ("/other/**", "a", False),
    ],
)
def test_a_path_pattern_is_a_glob_from_the_workspace(
    pattern: str, path: str, allowed: bool
) -> None:
    assert file("write", path, allow=[f"write({pattern})"]) == ("allow" if allowed else "ask")
    assert file("write", path, allow=["write"], deny=[f"write({pattern})"]) == (
        "deny" if allowed else "allow"
    )


def test_a_pattern_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/x")
    assert file("write", "/home/x/a/b", allow=["write(~/a/*)"]) == "allow"
    assert file("write", "/home/y/a/b", allow=["write(~/a/*)"]) == "ask"


def test_a_path_that_was_not_resolved_is_denied() -> None:
    verdict = policy(allow=["read"]).decide("read", Subject("path", "a"), harmless=True)
    assert (verdict.decision, verdict.rule) == ("deny", "workspace")


SECRETS = [".env", ".env.local", "a/.npmrc", ".netrc", "tls/server.pem", "id_rsa", ".git/config"]


@pytest.mark.parametrize("path", SECRETS)
def test_what_shows_a_file_of_secrets_asks(path: str) -> None:
    for tool in ("read", "grep"):
        assert file(tool, path) == "ask"
        assert file(tool, path, allow=[tool]) == "allow"
        assert file(tool, path, allow=[f"{tool}({path})"]) == "allow"
        assert file(tool, path, default_decision="allow") == "allow"
        assert file(tool, path, default_decision="deny") == "deny"
    assert file("ls", path) == file("glob", path) == "allow"


def test_a_file_of_secrets_says_how_to_read_it() -> None:
    def read(value: str, path: PurePosixPath) -> Decision:
        return policy().decide("read", Subject("path", value), harmless=True, path=path, root=ROOT)

    assert read("a/../.env", ROOT / ".env") == Decision(
        "ask",
        "default",
        "read a/../.env needs approval: files of this name hold secrets",
        "--allow 'read(.env)'",
        (),
        ("read(.env)",),
    )
    assert read(".env (1)", ROOT / ".env (1)").suggested == ("read",)
    # A link is judged by both of its ends.
    assert read("notes", ROOT / ".env").decision == "ask"
    assert read(".env", ROOT / "settings/development").decision == "ask"
    assert read("notes", ROOT / "settings/development").decision == "allow"


def test_a_workspace_of_a_secret_name_can_be_searched() -> None:
    root = PurePosixPath("/work/.env")
    verdict = policy().decide("grep", Subject("path", "."), harmless=True, path=root, root=root)
    assert verdict.decision == "allow"


@pytest.mark.parametrize(
    "rules", [{}, {"allow": ["*"]}, {"allow": ["write(.git/**)"], "grant_asks": True}]
)
def test_a_protected_place_is_denied_whatever_the_rules_say(rules: dict[str, Any]) -> None:
    verdict = policy(default_decision="allow", **rules).decide(
        "write", Subject("path", ".git/hooks/x"), path=ROOT / ".git/hooks/x", root=ROOT,
        protected=".git",
    )  # fmt: skip
    assert verdict == Decision(
        "deny",
        "protected",
        "write .git/hooks/x is denied: .git is protected, whatever the rules say",
    )


def test_what_acts_on_nothing_is_no_matter_of_places() -> None:
    assert policy().decide("generate_object", Subject(), harmless=True) == Decision(
        "allow", "default", "generate_object is allowed"
    )


# -- URLs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "address", "allowed"),
    [
        ("https://a.org/*", "https://a.org/x?y=/z#w", True),
        ("https://a.org/*", "HTTPS://A.org", True),
        ("https://a.org", "https://a.org/x", True),
        ("https://a.org/*", "https://a.org:443/x", True),
        ("https://a.org/*", "https://a.org:444/x", False),
        ("https://a.org:444/*", "https://a.org:444/x", True),
        ("https://a.org/*", "https://a.org./x", True),
        ("https://a.org/*", "http://a.org/x", False),
        ("https://a.org/*", "https://a.org@evil/x", False),
        ("https://a.org/*", "https://evil@a.org/x", False),
        ("https://a.org/*", "https://a.org.evil/x", False),
        ("https://a.org/*", "https://evila.org/x", False),
        ("https://a.org/*", "https://evil/https://a.org/", False),
        ("https://a.org/*", "https://evil\\@a.org/", False),
        ("https://a.org/*", "https://a.org\\@evil/", False),
        ("https://a.org/*", "https://a.org%2eevil/", False),
        ("https://a.org/*", "https://a.org\0.evil/", False),
        ("https://a.org/*", "https://a\u3002org/", False),
        ("https://a.org/*", "https://a.org/x y", False),
        ("https://a.org/*", "//a.org/x", False),
        ("https://a.org/d/*", "https://a.org/d/x", True),
        ("https://a.org/d/*", "https://a.org/d/../x", False),
        ("https://a.org/d/*", "https://a.org/d/%2e%2E/x", False),
        ("https://a.org/d/*", "https://a.org/d/%2e%2e%2fx", False),
        ("https://a.org/d/*", "https://a.org/d/%252e%252e%252fx", False),
        ("https://a.org/d/*", "https://a.org/%64/x", True),
        ("https://*.a.org/*", "https://b.c.a.org/x", True),
        ("https://*.a.org/*", "https://evil/.a.org/x", False),
        ("https://*.a.org/*", "https://a.org/x", False),
        ("a.org/d/*", "http://a.org/d/x", True),
        ("a.org", "https://a.org/d/x", True),
        ("*://a.org/*", "ftp://a.org/x", True),
        ("*", "anything", True),
    ],
)
def test_a_url_pattern_is_matched_part_by_part(pattern: str, address: str, allowed: bool) -> None:
    verdict = url(address, allow=[f"web_fetch({pattern})"])
    assert verdict == ("allow" if allowed else "ask")


@pytest.mark.parametrize(
    "address",
    ["https://a.org/x", "https://u:p@a.org/x", "https://A.ORG./x", "https:\\\\a.org\\x",
     " https://a.org/x", "https://a.org/y/..%2f%2e/x"],
)  # fmt: skip
def test_a_denied_url_is_recognised_in_any_spelling(address: str) -> None:
    assert url(address, default_decision="allow", deny=["web_fetch(https://a.org/*)"]) == "deny"


# -- the digest ----------------------------------------------------------------------------


def test_the_digest_is_of_what_the_rules_say() -> None:
    one = policy(allow=["bash(a:*)", "read"], deny=["write"])
    same = policy(allow=["read", "bash(a:*)", "read"], deny=[" write "])
    other = policy(allow=["bash(a:*)", "read"], ask=["write"])
    assert one.digest() == same.digest() != other.digest()
    assert len(one.digest()) == 64 and int(one.digest(), 16)


def test_a_hint_is_quoted_for_a_shell() -> None:
    assert shlex.split(bash("git log").hint) == ["--allow", "bash(git log:*)"]
