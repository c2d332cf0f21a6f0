"""Ordinary commands in ordinary workspaces, for the comparison with and without a sandbox."""

from __future__ import annotations

IDENTITY = "git config user.name n; git config user.email e"

#: What is in a workspace before the command.
BASES = {
    "empty": "",
    "files": (
        "mkdir -p src/deep docs; echo a > src/a.txt; echo b > src/deep/b.txt; echo c > docs/c.md;"
        "printf 'all:\\n\\tcat src/a.txt > out.txt\\n' > Makefile; ln -s src/a.txt link;"
        "mkdir -p template/.vscode; echo t > template/t.txt; touch empty; mkdir void;"
        "printf '%s\\n' 'import zipfile; z = zipfile.ZipFile(\"p-1-py3-none-any.whl\", \"w\")'"
        ' \'z.writestr("p.py", ""); d = "p-1.dist-info/"\''
        ' \'z.writestr(d + "METADATA", "Metadata-Version: 2.1\\nName: p\\nVersion: 1\\n")\''
        ' \'z.writestr(d + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")\''
        ' \'z.writestr(d + "RECORD", "")\' > wheel.py'
    ),
    # `other` changes protected files and adds some; `plain` does neither; all are recorded.
    "repository": (
        f"git init -q -b main; {IDENTITY}; mkdir .vscode src; echo 1 > .vscode/settings.json;"
        "echo one > src/one.txt; echo '*.log' > .gitignore; git add -A; git commit -qm one;"
        "git checkout -q -b plain; echo plain > plain.txt; git add -A; git commit -qm plain;"
        "git checkout -q -b other main; echo 2 > .vscode/settings.json; echo x > .envrc;"
        "mkdir -p .claude pkg/.idea; echo '{}' > .claude/settings.json; echo i > pkg/.idea/a.xml;"
        "echo '{}' > .mcp.json; echo other > other.txt; git add -A; git commit -qm other;"
        "git checkout -q -b removed main; git rm -q .vscode/settings.json; git commit -qm removed;"
        "git checkout -q -b conflict main; echo 3 > .vscode/settings.json; echo two > src/one.txt;"
        "git commit -qam conflict; git tag v1 main; git checkout -q main; echo t > a.log"
    ),
    # A clone whose origin is one commit ahead, which was fetched already.
    "clone": (
        f"mkdir up; (cd up; git init -q -b main; {IDENTITY}; mkdir .vscode; echo 1 >"
        " .vscode/settings.json; echo 1 > f; git add -A; git commit -qm one); git clone -q up w;"
        f" (cd up; echo 2 > f; git commit -qam two); (cd w; {IDENTITY}; git fetch -q);"
        " git clone -q --bare up up.git; git -C w remote add bare ../up.git"
    ),
    "modules": (
        f"git init -q -b main lib; (cd lib; {IDENTITY}; echo l > l; git add -A;"
        f" git commit -qm l); git init -q -b main top; (cd top; {IDENTITY}; echo t > t;"
        " git add -A; git commit -qm t;"
        " git -c protocol.file.allow=always submodule -q add ../lib sub; git commit -qm sub)"
    ),
}

_REPOSITORY = """
git checkout -q other && echo fix >> a.txt && git add -A && git commit -qm x && git show --stat
git checkout -q other; ls -A . .claude pkg/.idea; git status --short
git checkout other; git checkout main; git checkout -
git checkout -q removed; ls -A
git checkout -q other && git checkout -q removed && git checkout -q conflict && git checkout -q main
git checkout -q -b new; echo n > n; git add n; git commit -qm n; git log --oneline
git checkout -q v1; git status
git checkout other -- .envrc .vscode/settings.json; git status --short
git checkout -q other -- .; git commit -qam taken; git status --short
git restore --source other .vscode/settings.json; git diff --stat
git restore -s other --staged --worktree .; git status --short
git switch -q other; git switch -q -
git switch -c topic other; ls -A
git merge -q other; git log --oneline; ls -A
git merge --no-ff -m merged other; git log --oneline --graph
git merge -q --squash other; git commit -qm squashed; git status --short
git merge -q conflict; git merge -q -m m plain; git log --oneline; git status --short
git checkout -q other; git merge conflict; git status --short; git merge --abort; git status --short
git checkout -q conflict; git merge -X theirs -m m other; cat .vscode/settings.json
git checkout -q plain; git rebase -q other; git log --oneline; ls -A
git checkout -q other; git rebase -q plain; git log --oneline; cat .envrc
git checkout -q other; git rebase -q conflict; git status --short; git rebase --abort; git status
git checkout -q plain; git rebase -q --onto other main; ls -A
git cherry-pick other; git log --oneline; ls -A
git cherry-pick -n other; git status --short
git cherry-pick conflict other; git status --short; git cherry-pick --abort; git status --short
git checkout -q other; git revert --no-edit HEAD; ls -A; git log --oneline
git reset -q --hard other; ls -A
git reset -q --hard other; git reset -q --hard main; ls -A
git reset --soft other; git status --short
git reset -q other; git status --short
git reset -q --keep other; git status --short
git checkout -q other; git stash; echo y >> src/one.txt; git stash -q; git stash list; git stash pop
echo 9 > src/one.txt; git stash -q; git checkout -q other; git stash pop; git status --short
echo n > new; git stash -q -u; ls; git stash pop -q; ls
git stash -q; git stash apply; git stash drop
git worktree add -q tree plain; ls -A tree; git worktree list --porcelain | grep -c worktree
git worktree add -q tree other; ls -A tree; git -C tree status --short
git worktree add -q -b wt tree; git -C tree commit -q --allow-empty -m e; git log --oneline wt
git worktree add -q tree plain; git worktree remove tree; git worktree prune; git branch
git worktree add -q tree plain; mv tree other-tree; git worktree repair other-tree; git worktree list
git branch -m main trunk; git branch
git branch -q topic other; git branch -D topic; git branch -d plain
git branch --set-upstream-to=other; git status; git branch -vv
git tag v2; git tag -a v3 -m three; git tag -d v1; git tag
git remote add origin ../x; git remote rename origin up; git remote -v; git remote remove up
git remote add o https://example.invalid/o; git remote set-url o ../y; git config -l --local
git config user.name other; git config --unset user.email; git config color.ui never; git config -l
git config branch.main.description d; git config pull.rebase true; cat .git/config
git config --local core.autocrlf false; git config rerere.enabled true; git config push.default simple
git gc -q; git fsck; git count-objects | wc -l
git repack -q -a -d; git pack-refs --all; git prune; git show-ref
git maintenance run --task=gc --quiet; git status --short
git clean -fdx; ls -A
git clean -fdxq -e '*.log'; git status --short --ignored
git rm -q -r .vscode; git status --short; git commit -qm gone; ls -A
git mv src lib; git commit -qm moved; git status --short; git log --stat --oneline -1
git add -A; git commit -q --allow-empty -m e; git commit -q --amend -m f; git log --oneline
git add -N x 2>&1; echo z > z; git add -p < /dev/null; git add z; git diff --cached --stat
git log --all --oneline --graph; git show other --stat; git blame src/one.txt; git shortlog -s HEAD
git diff main other --stat; git diff --name-status main...conflict; git grep -n one
git format-patch -q -1 other; git am -q 0001-other.patch; ls -A; git log --oneline
git diff main other > p; git apply p; git status --short
git diff main plain | git apply --index; git status --short
git archive other -o o.tar; tar tf o.tar; mkdir x; tar xf o.tar -C x plain 2>&1; ls -A x
git bundle create -q b.bundle --all; git bundle verify -q b.bundle; git clone -q b.bundle c; ls -A c
git bisect start other main; git bisect good; git bisect reset; git status
git notes add -m n; git notes show; git reflog | wc -l; git describe --tags
git update-index --chmod=+x src/one.txt; git ls-files -s; git write-tree
git sparse-checkout set src; ls -A; git sparse-checkout disable; ls -A
git filter-branch -f --msg-filter cat HEAD 2>/dev/null; git log --oneline; git for-each-ref
git fetch -q . other:copy; git branch; git push -q . HEAD:refs/heads/pushed; git show-ref
git pull -q . other; ls -A; git log --oneline
git pull -q --rebase . plain; git log --oneline
git -c user.name=x commit -q --allow-empty -m a; git rev-parse HEAD; git hash-object -w src/one.txt
git commit-tree -m m HEAD^{tree}; git symbolic-ref HEAD refs/heads/other; git status --short
rm -rf src; git checkout src; cat src/one.txt
git checkout -q other; GIT_SEQUENCE_EDITOR="sed -i s/pick/edit/" git rebase -q -i main; git rebase --continue
git checkout -q other; git rebase -q -x false main; git status; git rebase --abort; git log --oneline
git bisect start other main; git bisect run sh -c 'test ! -e .envrc'; git bisect reset
git format-patch -q --stdout main..conflict > c.patch; git am -3 c.patch; git am --abort 2>&1; git status
git read-tree -m -u other; ls -A; git read-tree --reset -u main; ls -A; git checkout --orphan n; ls -A
git worktree add -q tree other; git worktree lock tree; git worktree move -f -f tree two; cat two/.envrc
git merge-tree main other | tail -3; git stash push -q -- src; git stash branch b 2>&1; git status --short
rm -rf .git; ls -A; git init -q; git add -A; git status --short
cp -r . $TMPDIR/copy && cd $TMPDIR/copy && git status --short && git log --oneline
find . -name .git -prune -o -type f -print | sort; find . -empty -not -path './.git/*' | sort
find . -not -path './.git*' -empty -delete; ls -A
ls -A .git/hooks | sort; [ -d .git ] && echo yes; test -e .envrc || echo no
echo '{}' > package.json; npm pkg set name=x 2>&1 | tail -1; git status --short
python3 -c 'print(1)' > out.txt; git add out.txt; git commit -qm out; git show --stat --oneline
"""

_FILES = """
make; cat out.txt; ls -A
python3 wheel.py; python3 -m pip install -q --no-index --target t ./p-1-py3-none-any.whl 2>&1; ls t
python3 wheel.py; python3 -m pip install --no-index nothing-of-this-name 2>&1 | tail -1; ls
python3 -m pip list --format=freeze 2>&1 | wc -l; python3 -m pip cache dir >/dev/null; ls
printf 'def test_a(): assert 1\\n' > test_a.py; python3 -m pytest -q test_a.py | tail -1 | cut -c1-8
printf 'def test_a(): assert 0\\n' > test_a.py; python3 -m pytest -q test_a.py >/dev/null 2>&1; echo $?
make -s nothing 2>&1; make -n
tar cf x.tar src docs; tar tf x.tar; mkdir y; tar xf x.tar -C y; find y | sort
tar czf $TMPDIR/x.tgz .; tar tzf $TMPDIR/x.tgz | wc -l
cp -r template new; cp -a src copy; ls -A new copy
cp -al src hard; stat -c %h hard/a.txt; rm -r hard
rsync -a src/ mirror/; rsync -a --delete docs/ mirror/; find mirror | sort
zip -qr x.zip src; unzip -qo x.zip -d out; find out | sort
find . -empty | sort; find . -type d -empty -delete; ls -A
find . -type f -exec sed -i s/a/b/ {} +; cat src/a.txt
mv src moved; ln -s moved src; cat src/a.txt; readlink src
chmod 700 src; chmod -R go-rwx docs; stat -c '%a %n' src docs docs/c.md
mkdir -m 000 closed; stat -c %a closed; rmdir closed
mkfifo pipe; (echo x > pipe &); cat pipe; rm pipe
touch -d 2001-01-01 old; stat -c %Y old; find . -newer old -type f | wc -l
dd if=/dev/zero of=big bs=1024 count=64 status=none; truncate -s 10 big; wc -c big
split -b 1 src/a.txt part.; ls part.*; cat part.* | cmp - src/a.txt
diff -r src docs; diff -u src/a.txt docs/c.md > p; patch -s src/a.txt < p; cat src/a.txt
grep -rn . src docs | sort; xargs -a src/a.txt echo; sort -o docs/c.md docs/c.md
git init -q; ls -A .git/hooks | wc -l; git status --short
git init -q -b trunk sub; git -C sub status; ls -A sub
git init -q --bare b.git; ls b.git; git -C b.git rev-parse --is-bare-repository
git init -q --separate-git-dir=gd wt; cat wt/.git | wc -l; git -C wt status --short
git init -q; git add -A; git -c user.name=n -c user.email=e commit -qm all; git log --oneline
[ -d .git ] && echo yes || echo no; [ -e .envrc ] || echo no; ls -A
python3 -m venv --without-pip v && v/bin/python -c 'import sys; print(sys.prefix)'
python3 -m zipfile -c z.zip src; python3 -m tarfile -c t.tar src; ls
printf 'def test(): assert True\\n' > test_x.py; python3 -m unittest -q test_x 2>&1 | head -1; ls
python3 -m compileall -q src; echo 'import os; os.makedirs("d/e"); print(os.listdir("d"))' | python3
npm init -y >/dev/null; npm pkg get name version; ls
mkdir pkg; (cd pkg; npm init -y) >/dev/null; npm init -y >/dev/null; npm i --offline ./pkg >/dev/null 2>&1; ls
node -e 'require("fs").writeFileSync("n", "1"); console.log(process.cwd() == require("path").resolve())'
mktemp -d > /dev/null; mktemp >/dev/null; echo x > $TMPDIR/x; cat $TMPDIR/x
exit 7
kill -TERM $$
cat missing; false || true; echo $?
for i in 1 2 3; do echo $i > f$i; done; wait; cat f?
(sleep 0.05; echo late > late) & wait; cat late
(flock 9; echo one >> l) 9> lock; flock lock sh -c 'echo two >> l'; cat l; diff <(echo a) <(echo b)
python3 -c 'import socket as s; a=s.socket(1); a.bind("s"); a.listen(); s.socket(1).connect("s")'; ls -F; rm s
python3 -c 'from multiprocessing import Pool; print(Pool(2).map(abs, [-1]))'; echo x > /dev/shm/x; rm /dev/shm/x
python3 -c 'import pty, os; print(os.isatty(pty.openpty()[1]))'; tty; ulimit -n 64; ulimit -n; id -un
touch -- -x 'a b' $'n\nl' 'é' '*'; ls -b; rm -- -x 'a b' $'n\nl'; setfattr -n user.a -v b link 2>&1; ls -A
vim -u NONE -es -c 'normal ix' -c wq src/a.txt; sed -i.bak s/a/z/ src/a.txt; ls -A src; cat src/a.txt
cat < <(echo sub); tee >(cat > t.out) < src/a.txt; sleep 0.1; cat t.out; mkfifo q; cat q & echo f > q; wait
umask 077; echo x > private; stat -c %a private; install -m 755 src/a.txt tool; stat -c %a tool
"""

_EMPTY = """
git init; ls -A
git init -q && git remote add origin x && git config user.name n && cat .git/config
mkdir -p a/b/c; rmdir -p a/b/c; ls -A
[ -d .git ] && echo yes || echo no; ls -A | wc -l; find . | wc -l
tar cf - . | wc -c; du -s --apparent-size . | cut -f1 | wc -l
echo x > x; rm -rf ./* .[!.]*; ls -A
cd ..; ls -d work*; mv work/none x 2>&1; true
"""

_CLONE = """
cd w; git pull -q; cat f; git log --oneline; git status
cd w; git merge -q origin/main; git log --oneline
SERVE; cd w; git pull -q $URL/up.git main; cat f; git log --oneline; git status
SERVE; git clone -q $URL/up.git c; git -C c log --oneline; git -C c fetch -q; git -C c remote remove origin
SERVE; cd w; git remote add web $URL/up.git; git fetch -q web; git merge -q web/main; git remote remove web
cd w; git rebase -q origin/main; git log --oneline
cd w; git reset -q --hard @{u}; cat f; git status
cd w; echo n > n; git add n; git commit -qm n; git pull -q --no-rebase --no-edit; git log --oneline
cd w; echo n > n; git add n; git commit -qm n; git pull -q --rebase; git push -q bare HEAD:main
cd w; git push -q -u bare main; git status; git branch -vv
cd w; git fetch -q --all; git remote show bare | head -3; git remote prune origin; git remote update
cd w; git push -q bare main:topic v1 2>&1; git push -q bare --delete topic 2>&1; git ls-remote bare
git clone -q up x; git -C x log --oneline; ls -A x
git clone -q --bare up y.git; git clone -q --mirror up z.git; ls y.git z.git
git clone -q --depth 1 file://$PWD/up s; git -C s log --oneline; git -C s fetch -q --unshallow
git clone -q -s up shared; git clone -q --reference up up r; git -C r status --short
git clone -q --filter=blob:none up c 2>&1
git init -q -b x --object-format=sha256 s; git -C s commit -q --allow-empty -m e; git -C s rev-parse HEAD
git -C up commit -q --allow-empty -m e; git -C w fetch; git -C w log --oneline origin/main
"""

_MODULES = """
cd top; git submodule status; git submodule update -q --init; ls -A sub
cd top; git submodule deinit -q -f sub; ls -A sub; git submodule update --init; git status --short
cd top; git -c protocol.file.allow=always submodule -q add ../lib two; git commit -qm two; git status
cd top; git -C sub checkout -q -b b; echo z > sub/z; git -C sub add z; git -C sub commit -qm z; git add
cd top; git rm -q sub; git commit -qm gone; ls -A; git status --short
cd top; git mv sub moved; git commit -qm moved; cat .gitmodules; git submodule status
cd top; git submodule foreach -q 'pwd; git log --oneline'; git submodule sync -q; git submodule summary
git -c protocol.file.allow=always clone -q --recurse-submodules top c; ls -A c/sub; git -C c status
cd top; git config submodule.sub.active true; git submodule set-branch -b main sub; cat .gitmodules
cd top; git submodule deinit -q --all -f; rm -rf .git/modules/sub; git submodule status; ls -A .git/modules
cd top; git worktree add -q ../wt; cd ../wt; git -c protocol.file.allow=always submodule update --init 2>&1
cd top; git submodule absorbgitdirs; git -C sub rev-parse --git-dir
"""

#: Serves the workspace on loopback, at a port that is free, as long as the command runs.
_SERVE = (
    "git -C up.git update-server-info; python3 -u -m http.server --bind 127.0.0.1 0"
    " > $TMPDIR/log 2>&1 & until port=$(grep -so 'port [0-9]*' $TMPDIR/log); do sleep 0.02; done;"
    " URL=http://127.0.0.1:${port#port }; trap 'kill %1' EXIT"
)

CORPUS = [
    (base, command.replace("SERVE", _SERVE))
    for base, commands in (
        ("repository", _REPOSITORY),
        ("files", _FILES),
        ("empty", _EMPTY),
        ("clone", _CLONE),
        ("modules", _MODULES),
    )
    for command in commands.strip().splitlines()
]
