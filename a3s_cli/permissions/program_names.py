"""Which programs are known, and as what; for all others see `programs`."""

from __future__ import annotations

from .shell_found import names

#: They do what their name says, to the files that they are given, and run nothing.
PLAIN = names(
    "arch b2sum base32 base64 basename basenc cat chgrp chmod chown cksum cmp comm cp cut date dd"
    " df dir dircolors dirname du echo expand expr factor false fmt fold grep egrep fgrep groups"
    " head hostid hostname id join link ln logname ls md5sum mkdir mkfifo mknod mktemp mv nl nproc"
    " numfmt od paste pathchk pinky pr printenv printf ptx pwd readlink realpath rm rmdir seq"
    " sha1sum sha224sum sha256sum sha384sum sha512sum shred sleep stat stty sum sync tac tail"
    " touch tr true truncate tsort tty uname unexpand unlink uptime users vdir wc who whoami yes"
    " jq which whereis type cal bc column col colrm rev look hexdump hd strings size readelf ps"
    " pgrep pkill kill killall top free vmstat iostat lsof netstat ss ping ping6 traceroute dig"
    " nslookup host whois gzip gunzip zcat bzip2 bunzip2 xz unxz xzcat zstd unzip zipinfo diffstat"
    " dos2unix unix2dos lsblk lscpu lsusb uuidgen getconf locale tput clear reset cd jobs umask"
    " ulimit times dirs pushd popd return exit break continue shift : caller fg bg disown suspend"
    " logout help [ test read set unset export declare typeset local readonly getopts mapfile"
    " readarray command open xdg-open pbcopy pbpaste xclip cloc tokei scc wdiff colordiff dotslash"
    " md5 shasum ncal tzselect whatis apropos mount umount sysctl dmesg last w"
)
#: Their work is to run a project's code, or a service's; what their options do is in
#: `program_options` where it reaches further than that.
TOOLS = names(
    "git gh glab hub npm pnpm yarn npx bunx bun deno node nodejs python python2 python3 pypy3"
    " ruby perl php java javac kotlin scala groovy lua Rscript julia elixir erl ghc runghc swift"
    " dart make gmake ninja meson cmake ctest bazel buck mvn gradle ant sbt lein mix cabal stack"
    " rake rails rspec bundle gem composer phpunit cargo rustc rustup clippy-driver go gofmt"
    " golangci-lint pytest tox nox mypy pyright ruff black isort flake8 pylint bandit coverage"
    " pre-commit eslint prettier stylelint tsc tsx ts-node jest vitest mocha ava cypress"
    " playwright webpack vite rollup esbuild parcel next nuxt ng vue astro svelte-kit turbo nx"
    " lerna biome gulp grunt docker docker-compose podman kubectl helm terraform tofu pulumi aws"
    " gcloud az doctl heroku flyctl fly vercel netlify ansible-lint vagrant pip pip3 pipx uv"
    " poetry pdm hatch rye conda mamba apt apt-get apt-cache dpkg brew yum dnf apk pacman snap"
    " flatpak systemctl journalctl service django-admin flask uvicorn gunicorn celery alembic"
    " sphinx-build mkdocs jupyter shellcheck shfmt hadolint yamllint markdownlint jsonlint"
    " xcodebuild pod flutter dotnet msbuild redis-cli mongosh sqlite3 psql mysql pg_dump createdb"
    " dropdb curl wget http https rsync ssh scp sftp nc rg ag fd tree bat less more man tar zip"
    " gcc g++ cc c++ clang clang++ ld ar nm objdump strip ffmpeg convert magick pandoc gzip a3s"
)
#: They run what is given to them by `-c` or `-e`, or in a file, or on their input.
INTERPRETERS = names(
    "python python2 python3 pypy3 ruby perl node nodejs php lua Rscript julia deno bun tclsh wish"
    " osascript groovy scala irb ipython guile racket sbcl ocaml runghc erl elixir swift awk gawk"
)
#: Names that are programs as often as they are words of another program's language.
AMBIGUOUS = names(
    "test install time sort format type info check build run start stop help list add commit log"
    " diff clean watch link read write set get export import apply make go login users groups id"
    " date host dir size split join fold head tail w last"
)
#: Programs that change, send or run things: to be named by an argument is to be run.
EFFECTIVE = names(
    "rm mv cp dd chmod chown ln touch mkdir rmdir shred truncate tee cat sh bash dash zsh env"
    " eval exec sudo su doas xargs find git curl wget nc ssh scp rsync python python3 perl ruby"
    " node npm npx docker kubectl kill pkill killall reboot shutdown systemctl crontab at sed awk"
    " tar gcc cc vi vim ed nano apt apt-get pip pip3 cargo busybox timeout nohup nice ls echo"
    " printf ps"
)
