"""What a bash script would run, and what hides it; every row is bash's semantics."""

from __future__ import annotations

import subprocess  # noqa: TID251
import sys

import pytest

from a3s_cli.permissions.programs import UNKNOWN_PROGRAM
from a3s_cli.permissions.shell import MAX_BYTES, commands
from a3s_cli.permissions.shell_found import Reach


def found(script: str) -> list[str]:
    return sorted(str(command) for command in commands(script).commands if command.certain)


def reaches(script: str) -> set[Reach]:
    """How far what is found in a script reaches; an unknown program is not meant."""
    parsed = commands(script)
    effects = [*parsed.effects, *(each for one in parsed.commands for each in one.effects)]
    risks = [risk for command in parsed.commands for risk in command.risks]
    return {
        *(doubt.reach for doubt in parsed.doubts),
        *(effect.reach for effect in effects if effect.reason),
        *(risk.reach for risk in risks if UNKNOWN_PROGRAM not in risk.reason),
    }


def hidden(script: str) -> bool:
    return bool(reaches(script) - {"effect"})


def clear(script: str) -> bool:
    return not reaches(script)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b", ["a b"]),
        ("  a\t b  ", ["a b"]),
        ("a;b&&c||d|e&f", ["a", "b", "c", "d", "e", "f"]),
        ("a\n\nb # c\nd", ["a", "b", "d"]),
        ("a |& b", ["a", "b"]),
        ("! a", ["a"]),
        ("(a; b)", ["a", "b"]),
        ("{ a; b; }", ["a", "b"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("while a; do b; done", ["a", "b"]),
        ("until a\ndo b\ndone", ["a", "b"]),
        ("for x in 1 2; do a $x; done", ["a …"]),
        ("case $x in a|b) c;; *) d;; esac", ["c", "d"]),
        ("[ -f x ] && a", ["[ -f x ]", "a"]),
        ('[ "$n" -gt 3 ] && a', ["[ … -gt 3 ]", "a"]),
        ('[[ -n $x && ( $x == "b" ) ]] || a', ["a"]),
        ("a \\\n  b", ["a b"]),
        ("a 2>&1 </dev/null >/dev/null", ["a"]),
        ("a <<< b", ["a"]),
        ("x=1; a $x", ["a 1"]),
        ("LC_ALL=C a", ["a"]),
        ("a -c 'b; c' \"d | e\" f\\;g", ["a -c b; c d | e f;g"]),
        ("a 'b'\"c\"d\\e", ["a bcde"]),
        ("a $'b\\tc\\x41\\101\\u0041'", ["a b\tcAAA"]),
        ('a "\\$b \\` \\" \\\\ \\n"', ['a $b ` " \\ \\n']),
        ("a {} b{c}d", ["a {} b{c}d"]),
        ("a b#c '#' \\#", ["a b#c # #"]),
        ('a $ "$" b$', ["a $ $ b$"]),
        ("a é “b” \u2028c", ["a é “b” \u2028c"]),
        ("a x=1 y+=2", ["a x=1 y+=2"]),
        ("a $((1 + 2)) ${#x} ${x:1:2} ${x%.*} ${x:-b}", ["a … … … … …"]),
        ("a $(b $(c)) `d`", ["a … …", "b …", "c", "d"]),
        ('a "$x  ${y}\n\t$(b) z"', ["a …  …\n\t… z", "b"]),
        ('a "$(b) ${x:-$(c)}"', ["a … …", "b", "c"]),
        ("a <(b) >(c)", ["a /dev/fd/… /dev/fd/…", "b", "c"]),
        ("x=$(a)", ["a"]),
        ("a <<E\n$(b) $x\nE\nc", ["a", "b", "c"]),
        ("a <<'E'\n$(b) `c`\nE\nd", ["a", "d"]),
        ("a <<-E | b\n\tx\n\tE\nc", ["a", "b", "c"]),
        ("a <<E && b\nx\nE", ["a", "b"]),
        ("a <<-E\n\t`b`\n\tE\n", ["a", "b"]),
        ("a <<A <<B\n1\nA\n2\nB\n", ["a"]),
        ("a <<E; b\nx\nE\n", ["a", "b"]),
        ("a\\\n;b;\\\nc", ["a", "b", "c"]),
        ("\\ # ;b", [" #", "b"]),
        ("time { a; }", ["a"]),
        ('for f in src/*.py; do a "$f"; done', ["a src/…"]),
        ('x=src; a "$x/b" $x', ["a src/b src"]),
        ("x=1; x=$(b); a $x", ["a …", "b"]),
        ("x=1 | b; a $x", ["a …", "b"]),
        ("a \"$(b <<'E'\nit's $(c)\nE\n)\"", ["a …", "b"]),
        ("a $(< b)", ["a …"]),
    ],
)
def test_the_commands_of_a_plain_script(script: str, expected: list[str]) -> None:
    assert found(script) == sorted(expected)
    assert clear(script)


@pytest.mark.parametrize(
    "script",
    [
        # A name that is known only when it runs.
        "$x a", "${x}a", "$(a) b", "`a`", "r? x", "{a,b} c", '"$x" a', "$'a'$b",
        # What evaluates text.
        "eval $x", "source x", ". x", "trap $x EXIT", "sh", "bash", "a | sh", "bash x.sh", "sh -s",
        "bash -c $x", "alias x=y", "let x=1", "declare -i x=1", "declare -n x=y", "printf -v x y",
        "read 'a[$(b)]'", "read PATH", "mapfile -C a x",
        "enable -f x y", "shopt -s extglob", "compgen -C x", "hash -p x y", "wait -p x",
        "test -v x", "test $x", "[ $x ]", "[ -v x ]",
        "[[ a == b* ]] && @(c)",
        "a $[x]", "a ${!x}",
        "a ${x@P}", "a ${x:-b<(c) }", "a ${x:-b>(c)}", "x[$(a)]=2",

        # What changes what names mean.
        "PATH=. a", "IFS=x a", "LD_PRELOAD=x a", "BASH_ENV=x a", "GIT_PAGER=x a", "EDITOR=x a",
        "for PATH in .; do a; done", "a ${PATH:=.}", "PS4=x", "PYTHONPATH=x a", "http_proxy=x a",
        # What the grammar does not read as bash does.
        "coproc a", "a ;; b", "a &&", "a &&& b",
        "a | | b", "a )", "(a", "a '", 'a "', "a `", "a $(", "if a", "a\rb", "a\x0bb", "a\0b",
        "a\x1b[2K", "a\x7f", "a {x}>b", "a <<E",
        "a <<E\nx\n E\n",
        "a <<E\nb\\\nE\nE\n",
        "a <<E\nE\\\n\nb\nE\n", "a <<$x\nx\n$x\n",
        "a `b \\`c\\``", 'a $"b"', "a $((b) )", "a @(b|c)",
        # An option that runs something.
        "git -c x=y log", "git --exec-path=. log", "git -p log", "git -C x log", "git $x",
        "git log --ext-diff", "git log --ext", "git fetch --upload-pack=x",
        "git fetch --upl x", "git grep -Ox y", "git rebase -x y", "git bisect run a",
        "git submodule foreach a", "git config x y", "git clone ext::x", "git difftool -x a",
        "rg --pre x y", "rg -nz x", "sed e", "sed 's/a/b/e'", "sed -n 'w x'", "sed $x",
        "sed -f x", "sed -e p -e e", "awk '{system(1)}'", "awk -f x", "tar --to-command=x",
        "tar xIf y z", "tar --checkpoint-act=x", "rsync -ave x", "man -P x", "less +x", "vim x",
        "sort --compress-prog=x", "ssh a", "scp -o x", "curl -K x", "split --filter=x",
        "make() { $1; }",
        "find . -exec $x \\;", "watch $x", "xargs -I{} {}", "go test -exec x",
        "sqlite3 a '.shell b'",
    ],
)  # fmt: skip
def test_what_hides_what_runs(script: str) -> None:
    assert hidden(script)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("a > b", "it redirects to `b`"),
        ("a 2>> b", "it redirects to `b`"),
        ("a >| b", "it redirects to `b`"),
        ("a &> b", "it redirects to `b`"),
        ("a >& b", "it redirects to `b`"),
        ('a > "$x"', "it redirects to `…`"),
        ("> b", "it redirects to `b`"),
        ("{ a; } > b", "it redirects to `b`"),
        ("a > ~/b", "it redirects to `~/b`"),
        ("a < /dev/tcp/b/1", "it opens a network connection"),
        ("a < $x", "it reads from a file whose name is not known"),
        ("FOO=1 a", "it sets the variable FOO"),
        ("f() { a; }", "it defines a function"),
    ],
)
def test_what_does_more_but_is_seen(script: str, reason: str) -> None:
    parsed = commands(script)
    effects = [*parsed.effects, *(each for one in parsed.commands for each in one.effects)]
    assert [(each.reason, each.reach) for each in (*parsed.doubts, *effects)] == [
        (reason, "effect")
    ]


@pytest.mark.parametrize(
    "script",
    ["export CI=1", "unset x", "set -euo pipefail", "x=$((x+1))", "((x++))", "a $((x))",
     "[[ a =~ $x ]]", "[[ $n -gt 3 ]]", "for ((i=0; i<3; i++)); do a; done", "arr=(a b c)",
     "IFS= read -r line", "time a", "time -p a | b", "coprocess a", "a ${x:y}", "a ${x[1]}",
     "a <<E\nit's \"b\"\nE\n", "PAGER=cat a", "local x=1", "a ${x@Q}"],
)  # fmt: skip
def test_what_is_plain(script: str) -> None:
    assert clear(script)


@pytest.mark.parametrize(
    "script",
    [
        "rm v", "\\rm v", "r''m v", '"rm" v', "r\\m v", "r\\\nm v", "$'\\x72m' v", "\trm\tv",
        "env rm v", "env -i A=1 rm v", "env -u X rm v", "env -S 'rm v'",
        "env --split-string='rm v'",
        "timeout 5 rm v", "timeout -s KILL 5 rm v", "timeout --sig KILL -k 1 5 rm v", "nohup rm v",
        "nice rm v", "nice -n 5 rm v", "nice -5 rm v", "ionice -c 2 -n 7 rm v", "setsid -f rm v",
        "stdbuf -oL rm v", "sudo rm v", "sudo -u root -- rm v", "sudo A=1 rm v", "doas rm v",
        "su -c 'rm v'", "su root -c 'rm v'", "su - root -c 'rm v'", "chroot / rm v", "time rm v",
        "time -p rm v", "command rm v", "command -p rm v", "builtin command rm v", "exec rm v",
        "exec -a x rm v", "eval rm v", "eval 'r''m v'", 'eval "eval \'rm v\'"', "sh -c 'rm v'",
        "bash -ec 'rm v'", "bash -o pipefail -c 'rm v'", "bash --norc -c 'true; rm v'",
        "zsh -c 'rm v'", "bash -c \"bash -c 'rm v'\"", "bash -c 'rm $1' x v", 'bash -c "rm $x"',
        "xargs rm", "xargs -0 -n 1 rm", "xargs -I {} rm {}", "xargs sh -c 'rm $0'",
        "parallel rm ::: v", "watch -n1 rm v", "watch 'rm v'", "ssh h rm v", "ssh h 'a; rm v'",
        "find . -exec rm {} +", "find . -exec a {} \\; -ok rm {} \\;",
        "find . -execdir rm -r {} \\;",
        "fd x -x rm", "flock l rm v", "flock l -c 'rm v'", "script -qc 'rm v' /dev/null",
        "strace -f -o x rm v", "busybox rm v", "busybox sh -c 'rm v'", "xvfb-run -a rm v",
        "unshare -r rm v", "taskset 1 rm v", "trap 'rm v' EXIT", "alias x='rm v'", "coproc rm v",
        "time { rm v; }", "! rm v", "A=1 rm v", "a[0]=1 rm v", "> x rm v", "< x rm v", "2>&1 rm v",
        "rm <<E v\nE\n", "<<< x rm v", "f() { rm v; }", "function f { rm v; }", "true & rm v",
        "a $(rm v)", "a `rm v`", "a \"$(rm v)\"", "a ${x:-$(rm v)}", "a $((1+$(rm v)))",
        "a <(rm v)", "a > >(rm v)", "a <<E\n$(rm v)\nE", "x=$(rm v)", "x=`rm v` a", "x=($(rm v))",
        "case $(rm v) in a) ;; esac", "for x in $(rm v); do a; done", "[ -n \"$(rm v)\" ]",
        "[[ -n $(rm v) ]]", "case a in a) rm v;; esac", "a || { b && (rm v); }", "$SUDO rm v",
        "a `b \\`rm v\\``", "uv run rm v", "npx rm v", "nix-shell --run 'rm v'",
        "timeout --x 5 rm v",
        "su-exec root rm v", "systemd-run --user rm v", "env env env sudo nohup rm v",
    ],
)  # fmt: skip
def test_a_command_is_seen_through_whatever_is_around_it(script: str) -> None:
    assert any(
        str(command) == "rm" or str(command).startswith(("rm ", "rm…"))
        for command in commands(script).commands
    )


@pytest.mark.parametrize(
    "script",
    ["echo rm v", "echo 'rm v'", "a --rm v", "command -v rm", "a '$(rm v)'", "a # rm v",
     "a <<'E'\n$(rm v)\nE", "grep -e rm v", "a \\$\\(rm v\\)", "farm v", "rm-x v"],
)  # fmt: skip
def test_a_command_is_not_seen_where_it_is_text(script: str) -> None:
    assert not any(
        str(command) == "rm" or str(command).startswith("rm ")
        for command in commands(script).commands
    )


@pytest.mark.parametrize("character", ["é", "\u00a0", "\u2028", "\u3000", "\U000f006f", "😀"])
def test_no_character_outside_ascii_is_special(character: str) -> None:
    """The grammar crashes on some of these, and takes some for blanks; bash does neither."""
    for template in ("a {%s", "a b%sc", "a '%s' \"%s\"", "%s b", "a ~%s #%s", "a $'%s'"):
        assert clear(template.replace("%s", character))
    assert found(f"a b{character}c") == [f"a b{character}c"]
    assert found(f"a $x{character}") == [f"a …{character}"]


def test_a_long_script_is_not_read() -> None:
    assert [doubt.reach for doubt in commands("a " * MAX_BYTES).doubts] == ["anything"]


@pytest.mark.parametrize(
    "piece",
    ["(", "$(", "`", "{ ", "${x:-", "$((", "<(", '"', "'", "if a; then ", "case x in a) ", "<<E\n",
     "env ", "eval ", "[[ ", "a;", "a ", "find -exec ", "\\\n", "*", "sudo -a ", "$'", "bash -c "],
)  # fmt: skip
def test_a_hostile_script_is_judged_at_all(piece: str) -> None:
    assert commands(piece * (MAX_BYTES // len(piece))) is not None


def test_the_parser_is_loaded_on_first_use() -> None:
    code = (
        "import sys\n"
        "from a3s_cli.permissions.policy import Policy\n"
        "from a3s_cli.tool_protocol import Subject\n"
        "call = Subject('command', 'a | $(b)')\n"
        "for rules in ({'allow': ['bash']}, {'ask': ['bash']}, {'default_decision': 'allow'}):\n"
        "    Policy(**rules, tools=['bash', 'read']).decide('bash', call)\n"
        "assert not any(name.startswith('tree_sitter') for name in sys.modules)\n"
        "Policy(allow=['bash(a)'], tools=['bash']).decide('bash', call)\n"
        "assert 'tree_sitter' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
