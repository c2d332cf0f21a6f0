"""After each trick of a command the user's own git runs nothing that the command chose."""

from __future__ import annotations

import pytest

from .cage import USERS, Cage
from .test_guarded import repository, run, user

#: What a command does, where `RUN` is a program of its choice; and what the user types then.
TRICKS = [
    ("cp -r .git g; git --git-dir=g config core.fsmonitor RUN", "git --git-dir=g status"),
    (
        "git init -q --separate-git-dir=gd wt; git -C wt config core.fsmonitor RUN",
        "git -C wt status || true",
    ),
    (
        "git init -q a; mv a/.git a/.gitx; echo 'gitdir: .gitx' > a/.git;"
        " git --git-dir=a/.gitx config core.fsmonitor RUN",
        "git -C a status || true",
    ),
    (
        "git init -q b; printf '[core]\\n\\tfsmonitor = %s\\n' RUN > b/inc;"
        " printf '[include]\\n\\tpath = ../inc\\n' >> b/.git/config",
        "git -C b status",
    ),
    (
        "git init -q b; printf '[core]\\n\\tfsmonitor = %s\\n' RUN > b/inc;"
        " git -C b config includeIf.gitdir:/.path ../inc",
        "git -C b status",
    ),
    ("git config extensions.worktreeConfig true; git config --worktree core.fsmonitor RUN", ""),
    (
        "git config extensions.worktreeConfig true; git worktree add -q w other;"
        " git -C w config --worktree core.fsmonitor RUN",
        "git -C w status",
    ),
    (
        "git config extensions.worktreeConfig true;"
        " printf '[core]\\n\\tfsmonitor = %s\\n' RUN > .git/config.worktree",
        "",
    ),
    (
        "mkdir h; printf '#!/bin/sh\\n%s\\n' RUN > h/post-index-change; chmod +x h/*;"
        " git config core.hooksPath h; touch a",
        "touch -d 2001-01-01 a; git status; git add -A",
    ),
    (
        "printf '#!/bin/sh\\n%s\\n' RUN > .git/hooks/post-index-change; chmod +x .git/hooks/*",
        "touch -d 2001-01-01 a; git status; git add -A",
    ),
    (
        "git config filter.x.clean RUN; echo '* filter=x' > .gitattributes; echo b > a",
        "git status; git diff; git add -A",
    ),
    (
        "printf '[FILTER \"x\"]\\n\\tCLEAN = %s\\n' RUN >> .git/config;"
        " mkdir -p .git/info; echo '* filter=x' > .git/info/attributes; echo b > a",
        "git status; git diff; git add -A",
    ),
    ("git config diff.external RUN; echo b > a", "git diff"),
    ("git config diff.x.textconv RUN; echo '* diff=x' > .gitattributes; echo b > a", "git diff"),
    ("git config diff.x.command RUN; echo '* diff=x' > .gitattributes; echo b > a", "git diff"),
    ("git config core.fsmonitor RUN; chmod 444 .git/config; chmod 555 .git", "chmod 755 .git"),
    (
        "mkdir -p d/.git/objects d/.git/refs; echo 'ref: refs/heads/x' > d/.git/HEAD;"
        " printf '[core]\\n\\tfsmonitor = %s\\n' RUN > d/.git/config",
        "git -C d status",
    ),
    (
        "git init -q e; (while :; do git -C e config core.fsmonitor RUN; done) & disown; sleep 0.2",
        "git -C e status",
    ),
    (
        "git init -q f; git -C f config core.fsmonitor RUN; chmod 300 f",
        "chmod 755 f; git -C f status",
    ),
    ("git init -q .h/g; git -C .h/g config core.fsmonitor RUN", "git -C .h/g status"),
    (
        "mkdir node_modules; git init -q node_modules/g; git -C node_modules/g config"
        " core.fsmonitor RUN",
        "git -C node_modules/g status",
    ),
    (
        "git -c protocol.file.allow=always submodule --quiet add ./. m;"
        " git -C m config core.fsmonitor RUN",
        "git status; git -C m status",
    ),
    ("git config alias.status '!RUN'; git config alias.st '!RUN'", "git st || true"),
    ("git config core.editor RUN; git config sequence.editor RUN", "git commit --amend || true"),
    (
        "git config merge.x.driver RUN; echo '* merge=x' > .git/info/attributes",
        "git merge conflict || true; git merge other || true",
    ),
    (
        "git config gpg.program RUN; git config commit.gpgsign true",
        "git commit -qm x --allow-empty",
    ),
    ("mv .git real; ln -s real .git; git config core.fsmonitor RUN", "git status || true"),
    ("git config -f .git/CONFIG core.fsmonitor RUN; mv .git/CONFIG .git/config", ""),
    (
        "git init -q --bare x.git; git --git-dir=x.git config core.fsmonitor RUN;"
        " git --git-dir=x.git config core.bare false; git --git-dir=x.git config core.worktree ..",
        "git -C x.git status || true",
    ),
    ("git config core.fsmonitor RUN; git config core.fsmonitor.x y 2>&1; true", "git status"),
    (
        "git worktree add -q w other; git init -q e; git -C e config core.fsmonitor RUN;"
        " echo $PWD/e/.git > .git/worktrees/w/commondir",
        "git -C w status",
    ),
    (
        "git worktree add -q w other; cp -r .git e; git config -f e/config core.fsmonitor RUN;"
        " echo gitdir: $PWD/e > w/.git",
        "git -C w status",
    ),
    (
        "mv .git/hooks .git/h; mkdir h; printf '#!/bin/sh\\n%s\\n' RUN > h/pre-commit;"
        " chmod +x h/*; ln -s ../h .git/hooks",
        "git commit -q --allow-empty -m e",
    ),
    (
        "cd .git/objects; mkdir -p e/objects e/refs ../../s; echo 'ref: refs/heads/x' > e/HEAD;"
        " git config -f e/config core.fsmonitor RUN; echo gitdir: ../.git/objects/e > ../../s/.git",
        "git -C s status || true",
    ),
    (
        "git rebase -q -x false HEAD~0; printf '\\t x %s\\n exec %s\\n' RUN RUN"
        " > .git/rebase-merge/git-rebase-todo",
        "git rebase --continue || true",
    ),
    (
        "cp -a .git/config keep; git config core.fsmonitor RUN; touch -r keep .git/config .git",
        "git status",
    ),
]


@pytest.mark.parametrize("driver", USERS[-1:], indirect=True)
@pytest.mark.parametrize(("trick", "then"), TRICKS)
def test_nothing_runs(cage: Cage, trick: str, then: str) -> None:
    repository(cage)
    mark = cage.work / "ran"
    script = trick.replace("RUN", f"'touch {mark};false'")
    run(cage, f"{script}\nrm -f {mark}")
    user(cage, f"set +e; git status; {then}\ntrue")
    assert not mark.exists()
