"""What a command may leave at a protected place, at any depth and by whatever trick."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - the user's own commands, beside the run
import time
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.files.protected import DIRECTORIES, FILES

from .cage import PATH, USERS, Cage, Outcome

#: Configuration of git has a rule of its own.
NAMES = sorted((DIRECTORIES | FILES) - {".gitmodules"})
IDENTITY = {
    f"GIT_{who}_{what}": "n" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def user(cage: Cage, script: str, **options: Any) -> str:
    """Run a script as the user would, outside of everything."""
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": cage.driver.uid, "group": cage.driver.uid, "extra_groups": []}
    done = subprocess.run(
        ["bash", "-ec", script], cwd=options.pop("cwd", cage.work), check=True, text=True,
        capture_output=True, env={"PATH": PATH, "HOME": str(cage.home), **IDENTITY}, **identity,
    )  # fmt: skip
    return done.stdout


def run(cage: Cage, *scripts: str, **options: Any) -> Outcome:
    """One run with several commands, one after another."""
    first, *rest = scripts
    then = [["bash", "-c", script] for script in rest]
    return cage.bash(first, environment=IDENTITY, then=then, **options)


def repository(cage: Cage) -> None:
    user(
        cage,
        "git init -q -b main; mkdir .vscode; echo 1 > .vscode/settings.json; echo a > a;"
        "git add -A; git commit -qm one; git checkout -qb other; echo 2 > .vscode/settings.json;"
        "echo x > .envrc; git add -A; git commit -qm two; git checkout -q main",
    )


def names(cage: Cage, outcome: Outcome) -> list[str]:
    return sorted(os.path.relpath(path, cage.work) for path in outcome.put_back)


def test_every_name_at_any_depth(cage: Cage) -> None:
    deep = "a/b/c/d"
    script = f"mkdir -p {deep}; for d in . {deep}; do (cd $d; "
    for name in NAMES:
        script += (
            f"mkdir -p {name}; echo x > {name}/x; "
            if name in DIRECTORIES
            else (f"echo x > {name}; ")
        )
    outcome = run(cage, f"{script}); done; echo done")
    assert (outcome.status, outcome.reason, outcome.output) == (0, None, "done\n")
    expected = [f"{name}/x" if name in DIRECTORIES else name for name in NAMES]
    assert names(cage, outcome) == sorted([*expected, *(f"{deep}/{one}" for one in expected)])
    assert set(cage.tree()) == {"a", "a/b", "a/b/c", deep}
    copies = [Path(report[2]) for report in outcome.reports]
    assert {copy.read_text() for copy in copies} == {"x\n"}
    assert not {copy.stat().st_mode & 0o077 for copy in copies} - {0}


def test_what_was_there_comes_back(cage: Cage) -> None:
    for name in ("", "deep/er/"):
        cage.file(f"{name}.envrc", "old\n")
        cage.file(f"{name}.vscode/settings.json", "old\n")
        cage.file(f"{name}.claude/run.sh", "old\n").chmod(0o755)
        (cage.work / f"{name}.bashrc").symlink_to("/etc/bash.bashrc")
    before = state(cage)
    outcome = run(
        cage,
        "for d in . deep/er; do (cd $d; echo x >> .envrc; rm -r .vscode; ln -s /etc .vscode;"
        " chmod 777 .claude/run.sh; rm .bashrc; echo x > .bashrc); done",
        "mv deep moved; rm -r moved; mkdir .envrc 2>&1; rm .envrc; mkdir -p .envrc/x; mkfifo .mcp.json",
        "sed -i s/old/new/ .envrc; ln -f a .envrc 2>&1; true",
    )
    assert state(cage) == before, outcome


def state(cage: Cage) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in cage.work.rglob("*"):
        link = os.readlink(path) if path.is_symlink() else path.lstat().st_mode
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        found[str(path.relative_to(cage.work))] = (link, content)
    return found


def test_hooks_and_configuration_of_git(cage: Cage) -> None:
    repository(cage)
    cage.file(".git/hooks/commit-msg", "#!/bin/sh\n").chmod(0o755)
    user(cage, "git init -q group/project; git init -q --bare bare.git")
    before = (cage.work / ".git/config").read_text()
    outcome = run(
        cage,
        "for g in .git group/project/.git bare.git; do echo x > $g/hooks/pre-commit;"
        " echo x > $g/hooks/new.sample; git --git-dir=$g config core.fsmonitor x;"
        " git --git-dir=$g config alias.st '!x'; git --git-dir=$g config remote.r.url y; done;"
        " rm .git/hooks/commit-msg; echo /x > .git/commondir",
        "rm -r .git/hooks; ln -s /tmp .git/hooks; rm .git/config; mkfifo .git/config",
    )
    assert "\turl = y\n" in (cage.work / ".git/config").read_text()
    run(cage, "git config --unset remote.r.url; git config --remove-section remote.r 2>&1; true")
    assert (cage.work / ".git/config").read_text() == before
    for gitdir in (".git", "group/project/.git", "bare.git"):
        hooks = {path.name for path in (cage.work / gitdir / "hooks").iterdir()}
        own = {"commit-msg"} if gitdir == ".git" else set()
        assert {name for name in hooks if not name.endswith(".sample")} == own
        assert "fsmonitor" not in (cage.work / gitdir / "config").read_text()
    assert not (cage.work / ".git/commondir").exists()
    assert ["alias.st", "core.fsmonitor"] in [report[3] for report in outcome.reports]


def test_a_nested_repository_runs_nothing(cage: Cage) -> None:
    repository(cage)
    mark = cage.outside / "ran"
    run(
        cage,
        f"git init -q s; git -C s config core.fsmonitor 'touch {mark};false'; cd s; echo a > a;"
        " git -c core.fsmonitor= add -A; git -c core.fsmonitor= commit -qm s; cd ..;"
        " git -c core.fsmonitor= add s 2>&1",
    )
    user(cage, "git status; git -C s status; git diff; git add -A")
    assert not mark.exists()


@pytest.mark.parametrize(
    "trick",
    [
        "ln -s .vscode v; echo x > v/settings.json; rm v",
        "ln .vscode/settings.json v; echo x > v; rm v",
        "mv .vscode v; mkdir .vscode; echo x > .vscode/settings.json; rm -r v",
        "mkdir v; mv .vscode v; mv v w; mv w/.vscode .; echo x > .vscode/settings.json",
        "(sleep 0.1; echo x > .vscode/settings.json) & disown; true",
        "setsid bash -c 'echo x > .vscode/settings.json; sleep 9' & sleep 0.2",
        "cp .vscode/settings.json v; touch -r v .vscode/settings.json; echo x > .vscode/settings.json;"
        " touch -r v .vscode/settings.json .vscode",
        "chmod 666 .vscode/settings.json",
        "chmod +x .vscode/settings.json",
        "echo x > .vscode/settings.json; chmod 555 .vscode",
        "echo x > .vscode/settings.json; chmod 000 .vscode",
        "mkdir .VSCODE; echo x > .VSCODE/x",
        "mkdir .vs$'\\u200d'code; echo x > .vs$'\\u200d'code/x; mkdir .ＶＳcode; echo x > .ＶＳcode/x",
        "echo x > .EnvRC; mkfifo .envrc; mkdir -p d; ln -s x d/.envrc",
        "mkdir -p d/.git/hooks; echo x > d/.git/hooks/post-checkout",
        "mkdir -p d/hooks d/objects d/refs; echo x > d/HEAD; echo x > d/hooks/post-checkout",
        "git worktree add -q w other; echo x > w/.envrc; git -C w config core.pager x;"
        " rm -rf w; git worktree prune",
        "mkdir real; echo 'gitdir: /tmp/x' > real/.git",
        "mkdir -p node_modules/p/.git/hooks; echo x > node_modules/p/.git/hooks/pre-push",
        "git config include.path /tmp/x; git config core.worktree /tmp; git config -f .git/config.worktree core.pager x",
        "git config -f .gitmodules submodule.s.update '!x'",
        "d=.; for i in $(seq 60); do d=$d/dddddddddddddddddddddddddddddddddddddddd; done; mkdir -p $d;"
        " echo x > $d/.envrc",
    ],
)
def test_tricks(cage: Cage, trick: str) -> None:
    repository(cage)
    before = protected_files(cage)
    outcome = run(cage, f"{trick}\ntrue")
    assert outcome.put_back, outcome
    assert protected_files(cage) == before, outcome


def protected_files(cage: Cage) -> dict[str, object]:
    """What is at protected names, whatever is beside them."""
    found = {}
    for path, content in state(cage).items():
        parts = Path(path).parts
        in_git = ".git" in parts or "objects" in {p.name for p in (cage.work / parts[0]).glob("*")}
        if in_git and not {"hooks", "config", "commondir", "config.worktree"} & set(parts):
            continue
        named = {part.casefold() for part in parts}
        is_protected = in_git or any(n.startswith((".vs", ".ｖ", ".env", ".git")) for n in named)
        if is_protected and not path.endswith(".sample") and not (cage.work / path).is_dir():
            found[path] = content
    return found


# -- history ------------------------------------------------------------------------


def test_what_recorded_commits_have_stays(cage: Cage) -> None:
    repository(cage)
    outcome = run(cage, "git checkout -q other; cat .envrc .vscode/settings.json", "git status -s")
    assert (outcome.put_back, outcome.output) == ([], "x\n2\n")
    outcome = run(cage, "git checkout -q main", "git checkout -q other~1; git checkout -q other")
    assert outcome.put_back == []
    assert (cage.work / ".envrc").read_text() == "x\n"


@pytest.mark.parametrize(
    "forgery",
    [
        # a commit of the command's own, on a branch that was there
        "git checkout -q other; echo evil > .envrc; git commit -qam e; git checkout -q main;"
        " git checkout -q other",
        "echo evil > .envrc; git add .envrc; git commit -qm e; git update-ref refs/heads/other HEAD",
        # a replacement of a commit and of a blob that history has
        "echo evil > e; b=$(git hash-object -w e); git replace $(git rev-parse other:.envrc) $b;"
        " git checkout -q other; cp e .envrc",
        "echo evil > .envrc; git add .envrc; git commit -qm e; git replace other HEAD",
        # the object of a blob or of a tree overwritten
        "echo evil > e; b=$(git hash-object -w e); o=$(git rev-parse other:.envrc); cd .git/objects;"
        " chmod +w ${o:0:2}/${o:2}; cp ${b:0:2}/${b:2} ${o:0:2}/${o:2}; cd ../..; cp e .envrc",
        "echo evil > .envrc; git add .envrc; t=$(git write-tree); o=$(git rev-parse other^{tree});"
        " cd .git/objects; chmod +w ${o:0:2}/${o:2}; cp ${t:0:2}/${t:2} ${o:0:2}/${o:2}",
        # a graft, a commit graph
        "echo evil > .envrc; git add .envrc; git commit -qm e; mkdir -p .git/info;"
        " echo $(git rev-parse other) $(git rev-parse HEAD) > .git/info/grafts",
        "echo evil > .envrc; git add .envrc; git commit -qm e; git commit-graph write --reachable",
    ],
)
def test_forged_history_is_not_believed(cage: Cage, forgery: str) -> None:
    repository(cage)
    outcome = run(cage, forgery, "git checkout -qf main 2>&1; git checkout -qf other 2>&1; true")
    assert [name for name in names(cage, outcome) if name == ".envrc"], outcome
    assert "evil" not in read(cage.work / ".envrc")


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_refs_that_commands_moved_are_not_believed_later(cage: Cage) -> None:
    repository(cage)
    run(cage, "git checkout -qb evil; echo evil > .envrc; git add -f .envrc; git commit -qm e")
    run(cage, "git stash -q; git checkout -q main")
    outcome = run(cage, "git checkout -qf evil; cat .envrc")
    assert names(cage, outcome) == [".envrc"] and not (cage.work / ".envrc").exists()
    # What the user commits is.
    user(cage, "git checkout -qf main; echo mine > .envrc; git add .envrc; git commit -qm mine;"
         " git checkout -q HEAD~1")  # fmt: skip
    outcome = run(cage, "git checkout -q main; cat .envrc")
    assert (outcome.output, outcome.put_back) == ("mine\n", [])


def test_what_a_command_committed_is_not_believed_below_the_users_work(cage: Cage) -> None:
    """However the command moves its refs later, and however deep it lies."""
    repository(cage)
    run(cage, "echo evil > .envrc; git add -f .envrc; git commit -qm e1; git rm -qf .envrc;"
        " git commit -qm e2; echo 3 > a; git commit -qam e3")  # fmt: skip
    user(cage, "echo mine > mine; git add mine; git commit -qm mine; git tag -a -m t mine")
    run(cage, "git commit -q --allow-empty -m later; git checkout -q --detach other; git gc -q")
    user(cage, "git checkout -q main; git reset -q --hard mine~2; git commit -q --allow-empty -m u")
    outcome = run(cage, "git checkout -q mine~3; git show mine~3:.envrc > .envrc; true")
    assert names(cage, outcome) == [".envrc"], outcome
    # What was the user's before is still.
    outcome = run(cage, "git reset -q --hard other~1; git reset -q --hard other", "git log -1")
    assert outcome.put_back == [] and (cage.work / ".envrc").read_text() == "x\n"
    outcome = run(cage, "git checkout -q main~3", "git checkout -q other; cat .envrc")
    assert (outcome.put_back, outcome.output) == ([], "x\n")


def test_a_rebase_that_is_not_done(cage: Cage) -> None:
    """Its commits stay to be picked; a program is not left to be run."""
    repository(cage)
    user(cage, "git checkout -q main; echo b > a; git commit -qam b; git checkout -q other;"
         " echo c > a; git commit -qam c; echo d > d; git add d; git commit -qm d")  # fmt: skip
    outcome = run(cage, "git rebase -q -x 'touch ran' main 2>&1; true",
                  "echo 'x touch ran' >> .git/rebase-merge/git-rebase-todo")  # fmt: skip
    todo = (cage.work / ".git/rebase-merge/git-rebase-todo").read_text()
    assert [line.split()[0] for line in todo.splitlines() if line[:1] != "#"] == ["pick"]
    assert {tuple(report[3]) for report in outcome.reports} == {("exec",)}
    user(cage, "rm ran; echo e > a; git add a; GIT_EDITOR=true git rebase --continue")
    assert not (cage.work / "ran").exists() and (cage.work / "d").exists()


def test_content_that_is_new_to_history(cage: Cage) -> None:
    """A pull brings it: it is put back, and a later commit that has it is named."""
    repository(cage)
    user(cage, f"git clone -q . {cage.outside}/up; cd {cage.outside}/up; git checkout -q main;"
         " echo 9 > .vscode/settings.json; git commit -qam nine")  # fmt: skip
    pull = f"git pull -q {cage.outside}/up main"
    outcome = run(cage, pull, "git status -s", "git commit -q --allow-empty -m e")
    assert names(cage, outcome) == [".vscode/settings.json"]
    assert (cage.work / ".vscode/settings.json").read_text() == "1\n"
    user(cage, "git reset -q --hard HEAD~2")
    kept = run(cage, pull, protect="tracked")
    assert kept.put_back == []
    assert (cage.work / ".vscode/settings.json").read_text() == "9\n"


def test_a_commit_of_what_was_put_back_is_named(cage: Cage) -> None:
    repository(cage)
    outcome = run(cage, "echo evil > .envrc; git add .envrc", "git commit -qm e", "true")
    commit = user(cage, "git rev-parse HEAD").strip()
    told = [(report[0], report[4]) for report in outcome.reports]
    assert told == [("put_back", None), ("committed", commit)]


def test_a_repository_that_a_command_creates(cage: Cage) -> None:
    repository(cage)
    user(cage, f"git clone -q . {cage.outside}/up; cd {cage.outside}/up; git checkout -q other;"
         " mkdir .idea; echo i > .idea/x; git add -A; git commit -qm i")  # fmt: skip
    outcome = run(
        cage,
        f"git clone -q {cage.outside}/up c; git -C c config core.pager x; echo x > c/.mcp.json;"
        " echo x > c/.git/hooks/pre-commit",
        "cat c/.idea/x c/.envrc",
    )
    assert outcome.output == "i\nx\n"
    assert names(cage, outcome) == ["c/.git/config", "c/.git/hooks/pre-commit", "c/.mcp.json"]
    kept = {os.path.relpath(r[1], cage.work) for r in outcome.reports if r[0] == "kept"}
    assert kept == {"c/.envrc", "c/.idea/x", "c/.vscode/settings.json"}


# -- the user -----------------------------------------------------------------------


def test_what_the_user_changes_is_the_users(cage: Cage) -> None:
    repository(cage)
    run(cage, "true")
    cage.file(".envrc", "mine\n")
    cage.file("deep/.vscode/tasks.json", "mine\n")
    user(cage, "echo mine > .vscode/settings.json; git config alias.mine log; sleep 0.05")
    outcome = run(cage, "echo evil > .envrc; rm -r deep", "rm .vscode/settings.json")
    assert names(cage, outcome) == [".envrc", ".vscode/settings.json", "deep/.vscode/tasks.json"]
    assert (cage.work / "deep/.vscode/tasks.json").read_text() == "mine\n"
    assert "mine = log" in (cage.work / ".git/config").read_text()
    (cage.work / ".envrc").unlink()
    outcome = run(cage, "true")
    assert outcome.put_back == [] and not (cage.work / ".envrc").exists()


def test_between_the_commands_of_a_run(cage: Cage) -> None:
    import threading

    cage.file(".envrc", "old\n")
    go, done = cage.work / "go", cage.work / "done"

    def edit() -> None:
        end = time.monotonic() + 30
        while not go.exists() and time.monotonic() < end:
            time.sleep(0.005)

    thread = threading.Thread(target=edit)
    thread.start()
    outcome = run(cage, "touch go; echo x > .envrc", "touch done; cat .envrc")
    thread.join(30)
    assert outcome.output == "old\n" and done.exists()


def test_a_rule_permits(cage: Cage) -> None:
    permitted = [str(cage.work / ".vscode/settings.json")]
    outcome = run(cage, "mkdir .vscode; echo x > .vscode/settings.json; echo x > .vscode/tasks.json",
                  permitted=permitted)  # fmt: skip
    assert names(cage, outcome) == [".vscode/tasks.json"]
    assert (cage.work / ".vscode/settings.json").read_text() == "x\n"


# -- nothing in the way -------------------------------------------------------------


def test_no_path_appears(cage: Cage) -> None:
    cage.file("a", "a\n")
    outcome = run(cage, "ls -A; cat /proc/self/mountinfo | grep -c $PWD; find . | wc -l")
    assert outcome.output == "a\n1\n2\n"
    assert cage.tree() == {"a": "a\n"}


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
def test_calls_of_one_turn_and_two_runs(cage: Cage) -> None:
    cage.file(".envrc", "old\n")
    scripts = [["bash", "-c", f"for i in $(seq 20); do echo {n} > .envrc; done"] for n in range(4)]
    outcome = cage.run(*scripts)
    assert outcome.put_back and (cage.work / ".envrc").read_text() == "old\n"
