"""What programs do beyond their name: options that run other programs or write files.

A broad rule such as `bash(git:*)` is a judgement on a program, not on
`git -c core.pager=…`, which is a shell by another name. This is a table of
such options. It cannot be complete, and it need not be for interpreters and
build tools, which exist to run things: who allows `python` allows anything.
"""

from __future__ import annotations

from functools import lru_cache

from ..values import Value


class Risk(Value):
    """A word by which a command does more than its name says: it `runs` something, or writes."""

    index: int
    reason: str
    runs: bool = True


class Options(Value):
    """Options of one program, as they are documented.

    Long ones are recognised abbreviated, as GNU's parser does; letters also in
    a cluster, where `values` (letters that take a value) end it. `always`: any
    operand is a risk.
    """

    runs: str = ""
    writes: str = ""
    values: str = ""
    always: str = ""


_EDITOR = Options(always="an editor runs commands")
_MULTIPLEXER = Options(always="it runs commands elsewhere")
_DECLARE = Options(always="it evaluates subscripts and changes what later commands see")

PROGRAMS: dict[str, Options] = {
    # Builtins of bash that evaluate what they are given, or change what names mean.
    "alias": Options(always="it changes what names mean"),
    "bind": Options(always="it binds commands"),
    "compgen": Options(runs="-C -F -W", values="AGPSXo"),
    "complete": Options(always="it registers commands"),
    "declare": _DECLARE,
    "enable": Options(always="it loads builtins"),
    "export": _DECLARE,
    "fc": Options(always="it runs an editor"),
    "getopts": _DECLARE,
    "hash": Options(runs="-p"),
    "history": Options(writes="-w -a -r -n -c -d"),
    "let": Options(always="arithmetic on variables can run commands"),
    "local": _DECLARE,
    "mapfile": _DECLARE,
    "printf": Options(runs="-v"),
    "readarray": _DECLARE,
    "readonly": _DECLARE,
    "shopt": Options(always="it changes how the rest is read"),
    "test": Options(runs="-v -R"),
    "typeset": _DECLARE,
    "unset": _DECLARE,
    "wait": Options(runs="-p"),
    # Files and text.
    "ag": Options(runs="--pager"),
    "awk": Options(),
    "bat": Options(runs="--pager"),
    "cmp": Options(),
    "csplit": Options(always="it writes files"),
    "diff": Options(runs="-l --paginate", values="CFIUWxSX"),
    "diff3": Options(runs="--diff-program"),
    "fd": Options(runs="-x -X --exec --exec-batch", values="dEetocSj"),
    "file": Options(writes="-C --compile", values="mfFeP"),
    "find": Options(writes="-delete -fprint -fprint0 -fprintf -fls"),
    "iconv": Options(writes="-o --output", values="ft"),
    "less": Options(runs="-k --lesskey --lesskey-file --lesskey-src --lesskey-content -p -t",
                    writes="-o -O --log-file --LOG-FILE", values="bhjxyz"),
    "man": Options(runs="-P --pager -H --html -B --browser -C --config-file -T --troff-device -X"
                        " --gxditview -t --troff -p --preprocessor", values="eELMmrRsS"),
    "rg": Options(runs="--pre --hostname-bin -z --search-zip", values="ABCEMTdefgjmrt"),
    "sdiff": Options(runs="--diff-program", writes="-o --output", values="IW"),
    "sed": Options(runs="-f --file", writes="-i --in-place", values="el"),
    "shuf": Options(writes="-o --output", values="in"),
    "sort": Options(runs="--compress-program", writes="-o --output -T --temporary-directory",
                    values="kStS"),
    "split": Options(runs="--filter", writes="", values="abClntu"),
    "tar": Options(runs="--to-command --checkpoint-action --use-compress-program --rsh-command"
                        " --rmt-command --info-script --new-volume-script -I -F",
                   values="CfTXbgHKLNV"),
    "tee": Options(),
    "tree": Options(writes="-o", values="LPIHT"),
    "uniq": Options(),
    "xmllint": Options(runs="--shell", writes="--output -o"),
    "xxd": Options(),
    "yq": Options(writes="-i --inplace --in-place"),
    "zip": Options(runs="-T --test -TT --unzip-command", values="bntiPx"),
    # Version control and builds.
    "apt": Options(runs="-o --option -c --config-file", values="t"),
    "apt-get": Options(runs="-o --option -c --config-file", values="t"),
    "cargo": Options(runs="--config"),
    "gcc": Options(runs="-wrapper -fplugin -specs -B"),
    "g++": Options(runs="-wrapper -fplugin -specs -B"),
    "cc": Options(runs="-wrapper -fplugin -specs -B"),
    "git": Options(),
    "go": Options(runs="-exec -toolexec -vettool"),
    "helm": Options(runs="--post-renderer"),
    "hg": Options(runs="--config --debugger"),
    "npm": Options(runs="--script-shell --node-options --init-module"),
    "patch": Options(runs="-e --ed", writes="-o --output", values="BDFGVYdgiprz"),
    # The network.
    "curl": Options(runs="-K --config --engine --krb",
                    writes="-o --output -O --remote-name --remote-name-all --output-dir -D"
                           " --dump-header -c --cookie-jar --trace --trace-ascii --stderr"
                           " --libcurl --hsts --alt-svc --etag-save",
                    values="AbdeEFhHmPQrtTuUwxXyYzC"),
    "nc": Options(runs="-e -c --exec --sh-exec --lua-exec", values="IipqsTVwXx"),
    "ncat": Options(runs="-e -c --exec --sh-exec --lua-exec", values="gGimopswx"),
    "nmap": Options(runs="--script", writes="-oN -oX -oG -oA -oS"),
    "rsync": Options(runs="-e --rsh --rsync-path -M --remote-option", values="BTf"),
    "scp": Options(runs="-o -S -F -D", values="cilPX"),
    "sftp": Options(runs="-o -S -F -D -b", values="cilPBRsX"),
    "socat": Options(),
    "tcpdump": Options(runs="-z", writes="-w", values="BcCEFGijmMrsTVWy"),
    "wget": Options(runs="-e --execute --use-askpass --config",
                    writes="-O --output-document -o --output-file -a --append-output -P"
                           " --directory-prefix", values="BDtTiIlQRUwX"),
    # Programs that are shells of their own.
    "at": _MULTIPLEXER, "batch": _MULTIPLEXER, "crontab": _MULTIPLEXER,
    "expect": _MULTIPLEXER, "screen": _MULTIPLEXER, "tmux": _MULTIPLEXER,
    "dc": _EDITOR, "ed": _EDITOR, "emacs": _EDITOR, "ex": _EDITOR, "gdb": _EDITOR,
    "lldb": _EDITOR, "m4": _EDITOR, "nano": _EDITOR, "nvim": _EDITOR, "vi": _EDITOR,
    "view": _EDITOR, "vim": _EDITOR, "vimdiff": _EDITOR,
    "mysql": Options(), "psql": Options(), "sqlite3": Options(),
}  # fmt: skip
for _name, _same in {
    "gawk": "awk", "mawk": "awk", "nawk": "awk", "gsed": "sed", "fdfind": "fd", "ripgrep": "rg",
    "batcat": "bat", "gtar": "tar", "bsdtar": "tar", "gsort": "sort", "clang": "cc",
    "clang++": "cc", "c++": "cc", "netcat": "nc", "more": "less", "most": "less", "[": "test",
}.items():  # fmt: skip
    PROGRAMS[_name] = PROGRAMS[_same]


def option_risks(index: int, text: str, name: str, options: Options) -> list[Risk]:
    """Find the risks in one argument, which begins with a dash."""
    found = []
    for option in _dangerous(text, options.runs, options.values):
        found.append(Risk(index, f"`{name} {option}` can run other programs"))
    for option in _dangerous(text, options.writes, options.values):
        found.append(Risk(index, f"`{name} {option}` writes files", runs=False))
    return found


def _dangerous(text: str, options: str, values: str) -> list[str]:
    head = text.partition("=")[0]
    long, multiple, letters = _split(options)
    if text.startswith("--"):
        return [option for option in long if len(head) > 2 and option.startswith(head)][:1]
    for option in multiple:
        if head == option:
            return [option]
    for letter in text[1:]:
        if letter in letters:
            return [f"-{letter}"]
        if letter in values:
            break
    return []


@lru_cache(maxsize=256)
def _split(options: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    every = options.split()
    return (
        tuple(option for option in every if option.startswith("--")),
        tuple(option for option in every if len(option) > 2 and not option.startswith("--")),
        "".join(option[1] for option in every if len(option) == 2),
    )
