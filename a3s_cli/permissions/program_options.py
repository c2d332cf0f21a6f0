"""What programs do beyond their name: options that run other programs or write files.

A broad rule such as `bash(git:*)` is a judgement on a program, not on
`git -c core.pager=…`, which is a shell by another name. This is a table of such
options. It cannot be complete, and it need not be for interpreters, which exist to
run things: a rule that allows `python` allows anything. For a program that is in
no table see `programs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..values import Value
from .marks import UNKNOWN
from .shell_found import Reach, Risk, Word


class Options(Value):
    """Options of one program, as they are documented.

    `runs`: the value is a command; `program`: it is a program's name alone; `loads`:
    it names a file that changes what the program does; `writes`: it names a file
    that is written. Long ones are recognised abbreviated, as GNU's parser does;
    letters also in a cluster, where `values` (letters that take a value) end it.
    `always`: any operand is a risk. `responds`: `@file` holds more options.
    """

    runs: str = ""
    program: str = ""
    loads: str = ""
    writes: str = ""
    values: str = ""
    always: str = ""
    responds: bool = False

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def furthest(self) -> Reach:
        """How far an argument that may be any of the options reaches."""
        if self.runs:
            return "anything"
        return "program" if self.program else "changes"


_COMPILER = Options(runs="-wrapper -specs", loads="-fplugin -B -T", responds=True)
_BINARY = Options(loads="--plugin", responds=True)
_PYTHON_TOOL = Options(loads="--config --config-file --rcfile --plugins --load-plugins")
_CONTAINERS = Options(loads="--config --tlscacert --host -H")

PROGRAMS: dict[str, Options] = {
    # Builtins of bash that evaluate what they are given, or change what names mean.
    "bind": Options(always="it binds commands"),
    "compgen": Options(runs="-C -F -W", values="AGPSXo"),
    "complete": Options(always="it registers commands"),
    "enable": Options(always="it loads builtins"),
    "fc": Options(always="it runs an editor"),
    "history": Options(writes="-w -a -r -n -c -d"),
    "let": Options(always="arithmetic on variables can run commands"),
    "printf": Options(runs="-v"),
    "shopt": Options(loads="-s -u -o"),
    "wait": Options(runs="-p"),
    # Files and text.
    "ag": Options(program="--pager"),
    "bat": Options(runs="--pager"),
    "cpio": Options(runs="--rsh-command", writes="-F --file -O", values="CHMER"),
    "csplit": Options(always="it writes files"),
    "ctags": Options(loads="--options --options-maybe --optlib-dir", writes="-o -f"),
    "diff": Options(program="-l --paginate", values="CFIUWxSX"),
    "diff3": Options(program="--diff-program"),
    "fd": Options(runs="-x -X --exec --exec-batch", values="dEetocSj"),
    "file": Options(writes="-C --compile", loads="-m --magic-file", values="fFeP"),
    "find": Options(runs="-exec -execdir -ok -okdir",
                    writes="-delete -fprint -fprint0 -fprintf -fls"),
    "fzf": Options(runs="--bind --preview --execute", program="--with-shell", values="nqdm"),
    "iconv": Options(writes="-o --output", values="ft"),
    "install": Options(program="--strip-program", values="gmotS"),
    "less": Options(loads="-k --lesskey --lesskey-file --lesskey-src --lesskey-content",
                    runs="-p -t", writes="-o -O --log-file --LOG-FILE", values="bhjxyz"),
    "man": Options(runs="-P --pager -H --html -B --browser -p --preprocessor -T --troff-device"
                        " -X --gxditview -t --troff", loads="-C --config-file",
                   values="eELMmrRsS"),
    "nm": _BINARY, "ar": _BINARY, "ranlib": _BINARY, "objdump": _BINARY, "strip": _BINARY,
    "ld": Options(loads="-plugin --plugin -T --script -dynamic-linker", responds=True),
    "objcopy": Options(loads="--plugin", responds=True),
    "pandoc": Options(program="--filter -F --pdf-engine", writes="-o --output",
                      loads="--lua-filter -L --defaults -d --template --syntax-definition"
                            " --data-dir -H --include-in-header", values="ftrwVM"),
    "rg": Options(program="--pre --hostname-bin -z --search-zip", values="ABCEMTdefgjmrt"),
    "sdiff": Options(program="--diff-program", writes="-o --output", values="IW"),
    "sed": Options(loads="-f --file", writes="-i --in-place", values="el"),
    "shuf": Options(writes="-o --output", values="in"),
    "sort": Options(program="--compress-program",
                    writes="-o --output -T --temporary-directory", values="kStS"),
    "split": Options(runs="--filter", values="abClntu"),
    "tar": Options(runs="--to-command --checkpoint-action --info-script --new-volume-script -F",
                   program="--use-compress-program --rsh-command --rmt-command -I",
                   values="CfTXbgHKLNV"),
    "tee": Options(), "uniq": Options(), "xxd": Options(), "cmp": Options(), "jq": Options(),
    "tree": Options(writes="-o", values="LPIHT"),
    "xmllint": Options(runs="--shell", writes="--output -o"),
    "xsltproc": Options(writes="-o --output"),
    "yq": Options(writes="-i --inplace --in-place"),
    "zip": Options(runs="-T --test -TT --unzip-command", values="bntiPx"),
    "gpg": Options(program="--agent-program --dirmngr-program --pinentry-program --photo-viewer",
                   loads="--options --homedir --load-extension", writes="-o --output"),
    "openssl": Options(loads="-engine -config -provider-path -provider", writes="-out -writerand"),
    "dot": Options(writes="-o -O"),
    # Version control, packages and builds.
    "apt": Options(runs="-o --option -c --config-file", values="t"),
    "apt-get": Options(runs="-o --option -c --config-file", values="t"),
    "cargo": Options(runs="--config"),
    "rustc": Options(runs="-C --codegen", loads="--sysroot", responds=True),
    "cc": _COMPILER, "gcc": _COMPILER, "g++": _COMPILER, "clang": _COMPILER, "clang++": _COMPILER,
    "c++": _COMPILER,
    "ctest": Options(runs="-S -SP --script --script-new-process --build-and-test --test-command"),
    "cmake": Options(runs="-P -E", loads="-C --toolchain -D"),
    "docker": _CONTAINERS, "podman": _CONTAINERS, "docker-compose": _CONTAINERS,
    "dpkg": Options(loads="--root --admindir", runs="--pre-invoke --post-invoke --status-logger"),
    "git": Options(),
    "go": Options(runs="-exec -toolexec -vettool -gccgoflags -ldflags -overlay -modfile"),
    "gradle": Options(loads="-I --init-script -b --build-file -g --gradle-user-home"),
    "helm": Options(program="--post-renderer", loads="--kubeconfig --registry-config"),
    "hg": Options(runs="--config --debugger"),
    "java": Options(loads="-javaagent -agentpath -agentlib -Xbootclasspath", responds=True),
    "javac": Options(loads="-processorpath --processor-path", responds=True),
    "kubectl": Options(loads="--kubeconfig", values="nocflL"),
    "make": Options(runs="--eval", loads="-f --file --makefile -C --directory -I --include-dir",
                    values="jlo"),
    "mvn": Options(loads="-s --settings -gs --global-settings -f --file"),
    "mypy": Options(program="--python-executable", loads="--config-file --plugins"),
    "npm": Options(program="--script-shell --shell --git --viewer --editor",
                   loads="--node-options --init-module --userconfig --globalconfig --prefix -C"
                         " --ignore-scripts=false --before --location"),
    "patch": Options(runs="-e --ed", writes="-o --output", values="BDFGVYdgiprz"),
    "pip": Options(program="--python", loads="--config-settings --log --cache-dir --cert --root"),
    "pylint": Options(runs="--init-hook", loads="--rcfile --load-plugins --init-import"),
    "pytest": Options(loads="-p -c --config-file --confcutdir --rootdir --import-mode -o"
                            " --override-ini", values="kmnWr"),
    "ruff": Options(loads="--config"), "black": _PYTHON_TOOL, "flake8": _PYTHON_TOOL,
    "eslint": Options(loads="--rulesdir --resolve-plugins-relative-to -c --config --parser"
                            " --plugin -f --format", writes="-o --output-file"),
    "prettier": Options(loads="--plugin --config", writes="-w --write"),
    "rpm": Options(runs="--eval -E --pipe --define -D --macros --rcfile --load"),
    "terraform": Options(loads="-chdir -plugin-dir"),
    # The network.
    "curl": Options(loads="-K --config --engine --krb",
                    writes="-o --output -O --remote-name --remote-name-all --output-dir -D"
                           " --dump-header -c --cookie-jar --trace --trace-ascii --stderr"
                           " --libcurl --hsts --alt-svc --etag-save",
                    values="AbdeEFhHmPQrtTuUwxXyYzC"),
    "nc": Options(runs="-e -c --exec --sh-exec --lua-exec", values="IipqsTVwXx"),
    "ncat": Options(runs="-e -c --exec --sh-exec --lua-exec", values="gGimopswx"),
    "nmap": Options(runs="--script --script-args", writes="-oN -oX -oG -oA -oS"),
    "rsync": Options(runs="-e --rsh --rsync-path -M --remote-option", values="BTf"),
    "scp": Options(runs="-o -S -D", loads="-F", values="cilPX"),
    "sftp": Options(runs="-o -S -D -b", loads="-F", values="cilPBRsX"),
    "ssh": Options(runs="-o", loads="-F -I", values="BbcDEeiJLlmOpQRSWw"),
    "socat": Options(),
    "tcpdump": Options(program="-z", writes="-w", values="BcCEFGijmMrsTVWy"),
    "wget": Options(runs="-e --execute", program="--use-askpass", loads="--config",
                    writes="-O --output-document -o --output-file -a --append-output -P"
                           " --directory-prefix", values="BDtTiIlQRUwX"),
    "mysql": Options(), "mariadb": Options(), "psql": Options(), "sqlite3": Options(),
    # Wrappers with options of their own.
    "strace": Options(writes="-o --output", values="eapsEubIOPSUX"),
    "ltrace": Options(writes="-o --output", loads="-F --config", values="epunlxsSaAD"),
    "perf": Options(writes="-o --output", values="eFcCp"),
    "time": Options(writes="-o --output", values="f"),
}  # fmt: skip
for _name, _same in {
    "gsed": "sed", "fdfind": "fd", "ripgrep": "rg",
    "batcat": "bat", "gtar": "tar", "bsdtar": "tar", "gsort": "sort", "netcat": "nc",
    "more": "less", "most": "less", "pip3": "pip", "pnpm": "npm", "yarn": "npm", "gpg2": "gpg",
    "gmake": "make", "gfind": "find", "mysqldump": "mysql", "isort": "black", "apt-cache": "apt",
    "fish_indent": "cmp",
}.items():  # fmt: skip
    PROGRAMS[_name] = PROGRAMS[_same]

_REASONS: dict[str, tuple[Reach, str]] = {
    "runs": ("anything", "can run other programs"),
    "program": ("program", "can run another program"),
    "loads": ("changes", "can load what runs other programs"),
    "writes": ("effect", "writes files"),
}


_SETTING = re.compile(r"[A-Za-z][\w.-]*=")
#: What they are told to run is not written as for a shell.
_OTHER_LANGUAGE = frozenset({"make", "gmake", "cmake", "ctest", "rpm", "pylint", "nmap", "hg"})


def option_risks(words: Sequence[Word], index: int, name: str, options: Options) -> list[Risk]:
    """Find the risks in an argument that begins with a dash.

    A command that an option names is judged as a command, where it is known.
    """
    text = words[index].text
    found = []
    for kind, option in _meant(text, options):
        reach, says = _REASONS[kind]
        value = _value(words, index, option)
        reason = f"`{name} {option}` {says}"
        if kind == "writes" and value in ("/dev/null", "-", "/dev/stdout"):
            continue
        if kind in ("runs", "program") and value:
            script = value.lstrip("|!")
            if setting := _SETTING.match(script):
                # `exec=x`, `ProxyCommand=x`, `build.rustc-wrapper="x"`
                script += "\n" + script[setting.end() :]
            far: Reach = "anything" if name in _OTHER_LANGUAGE else "changes"
            found.append(Risk(index, reason, far, script))
        else:
            found.append(Risk(index, reason, reach))
    return found


def written_by_option(words: Sequence[Word], name: str) -> list[Word]:
    """Return the files that options of a known program name for output."""
    options = PROGRAMS.get(name)
    found = []
    for index, word in enumerate(words[1:], 1) if options and options.writes else ():
        if not word.text.startswith("-"):
            continue
        for kind, option in _meant(word.text, options) if options else ():
            if kind != "writes":
                continue
            value = _value(words, index, option)
            if value is not None:
                found.append(Word(value))
            elif index + 1 < len(words):
                found.append(words[index + 1])
    return found


@lru_cache(maxsize=4096)
def _meant(text: str, options: Options) -> tuple[tuple[str, str], ...]:
    """Return what an argument means of what is listed: kinds, and the option of each."""
    found = []
    for kind in _REASONS:
        known = getattr(options, kind)
        if option := known and dangerous(text, known, options.values):
            found.append((kind, option))
    return tuple(found)


def _value(words: Sequence[Word], index: int, option: str) -> str | None:
    text = words[index].text
    if text.startswith("--") or (len(option) > 2 and "=" in text):
        _, equals, value = text.partition("=")
    else:
        _, _, value = text.partition(option[1:])
        equals = value
    if not equals:
        if index + 1 >= len(words) or not words[index + 1].known:
            return None
        return words[index + 1].text
    return None if UNKNOWN in value or words[index].splits else value


def dangerous(text: str, options: str, values: str) -> str:
    """Return the option among these that the argument is, or nothing."""
    head = text.partition("=")[0]
    long, multiple, letters = _split(options)
    if text.startswith("--"):
        for option in long:
            if len(head) > 2 and option.startswith(head):
                return option
        return ""
    if head in multiple:
        return head
    for letter in text[1:]:
        if letter in letters:
            return f"-{letter}"
        if letter in values:
            break
    return ""


@lru_cache(maxsize=512)
def _split(options: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    every = options.split()
    return (
        tuple(option for option in every if option.startswith("--")),
        tuple(option for option in every if len(option) > 2 and not option.startswith("--")),
        "".join(option[1] for option in every if len(option) == 2),
    )
