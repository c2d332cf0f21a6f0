"""The table of programs' options: those that run other programs, load code or write files.

It is data, as the programs document it; `program_options` says what it means. It
cannot be complete: for a program that is in no table see `programs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values import Value

if TYPE_CHECKING:
    from .shell_found import Reach


class Options(Value):
    """Options of one program, as they are documented.

    `runs`: the value is a command; `program`: it is a program's name alone; `loads`:
    it names a file that changes what the program does; `writes`: it names a file
    that is written; `within`: it names a file or a directory that is the program's
    ordinary work inside the workspace, and nowhere else. Long ones are recognised
    abbreviated, as GNU's parser does; letters also in a cluster, where `values`
    (letters that take a value) end it. `always`: any operand is a risk. `responds`:
    `@file` holds more options. `harmless`: values that make none of them a risk.
    `plain`: options of their own that would be read as the abbreviation of another.
    """

    runs: str = ""
    program: str = ""
    loads: str = ""
    writes: str = ""
    within: str = ""
    values: str = ""
    always: str = ""
    responds: bool = False
    harmless: str = ""
    plain: str = ""

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


_COMPILER = Options(
    runs="-wrapper -specs",
    loads="-fplugin -B -T",
    within="-o",
    values="IDLlfWmOxsgUMiEcp",
    responds=True,
)
_BINARY = Options(loads="--plugin", responds=True)
_PYTHON_TOOL = Options(loads="--config --config-file --rcfile --plugins --load-plugins")
_CONTAINERS = Options(
    loads="--config --tlscacert --host -H --context", within="--output --iidfile --cidfile"
)
_BUNDLER = Options(
    loads="-c --config --plugin --require", within="-o --output-path --outDir --dir", values="dmp"
)
_VITE = Options(
    loads="-c --config --globalSetup --global-setup --setupFiles --environment"
    " --reporter --runner --pool --root -r",
    within="--outDir --outputFile --dir",
    values="tlm",
    plain="--run",
    harmless="""
    (?:verbose|default|dot|json|junit|tap|tap-flat|basic|hanging-process|github-actions|node|jsdom
    |happy-dom|edge-runtime|threads|forks|vmThreads|vmForks)""",
)

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
    "bazel": Options(runs="--run_under", program="--shell_executable", loads="--bazelrc"
                          " --override_repository"),
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
                    runs="-p -t --pattern --tag --tag-file",
                    writes="-o -O --log-file --LOG-FILE", values="bhjxyz"),
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
                   writes="--index-file --volno-file -g --listed-incremental -P --absolute-names",
                   within="-C --directory --one-top-level", values="CfTXbgHKLNV"),
    "tee": Options(), "uniq": Options(), "xxd": Options(), "cmp": Options(), "jq": Options(),
    "tree": Options(writes="-o", values="LPIHT"),
    "unzip": Options(within="-d", values="P"),
    "xmllint": Options(runs="--shell", writes="--output -o"),
    "xsltproc": Options(writes="-o --output"),
    "yq": Options(writes="-i --inplace --in-place"),
    "zip": Options(runs="-T --test -TT --unzip-command", values="bntiPx"),
    "gs": Options(loads="-dNOSAFER -dDELAYSAFER"),
    "groff": Options(loads="-U", values="dfFIKLmMnoPrTwW"),
    "pdflatex": Options(loads="-shell-escape -enable-write18 -output-directory"),
    "ssh-keygen": Options(loads="-D", values="CEFIJKLMNOPRSTVWYZabfimnrstwz"),
    "ssh-add": Options(loads="-s", values="EeSTtH"),
    "gpg": Options(program="--agent-program --dirmngr-program --pinentry-program --photo-viewer",
                   loads="--options --homedir --load-extension", writes="-o --output"),
    "openssl": Options(loads="-engine -config -provider-path -provider -module -engine_impl -pre"
                             " -post",
                       writes="-out -writerand -keyout -outfile -CAserial -CAcreateserial"),
    "dot": Options(writes="-o -O"),
    # Version control, packages and builds.
    "apt": Options(runs="-o --option -c --config-file", values="t"),
    "apt-get": Options(runs="-o --option -c --config-file", values="t"),
    "cargo": Options(runs="--config", within="--manifest-path -C --target-dir --path --root"
                          " --out-dir"),
    "rustc": Options(runs="-C --codegen", loads="--sysroot", responds=True),
    "cc": _COMPILER, "gcc": _COMPILER, "g++": _COMPILER, "clang": _COMPILER, "clang++": _COMPILER,
    "c++": _COMPILER,
    "ctest": Options(runs="-S -SP --script --script-new-process --build-and-test --test-command",
                     program="--build-makeprogram", loads="--overwrite",
                     within="-O --output-log --output-junit --test-dir", values="CDRELIjMT"),
    "cmake": Options(runs="-P -E", loads="-C --toolchain", values="GD",
                     writes="--trace-redirect --graphviz --profiling-output",
                     within="-S -B -H --install-prefix", plain="--install"),
    "docker": _CONTAINERS, "podman": _CONTAINERS, "docker-compose": _CONTAINERS,
    "dpkg": Options(loads="--root --admindir", runs="--pre-invoke --post-invoke --status-logger"),
    "git": Options(),
    "go": Options(runs="-exec -toolexec -vettool -gccgoflags -overlay -modfile",
                  within="-C -o -outputdir -coverprofile -cpuprofile -memprofile -blockprofile"
                         " -mutexprofile -trace -pkgdir"),
    "gradle": Options(loads="-I --init-script -b --build-file -g --gradle-user-home"),
    "helm": Options(program="--post-renderer", within="--output-dir --destination -d",
                    loads="--kubeconfig --registry-config --repository-config --plugins"),
    "hg": Options(runs="--config --debugger"),
    "java": Options(loads="-javaagent -agentpath -agentlib -Xbootclasspath", responds=True),
    "javac": Options(loads="-processorpath --processor-path", responds=True),
    "kubectl": Options(program="--exec-command", values="nocflL",
                       loads="--kubeconfig --enable-exec --enable-alpha-plugins",
                       within="--output-directory --profile-output --cache-dir"),
    "make": Options(runs="--eval -E", loads="-f --file --makefile -I --include-dir --load",
                    within="-C --directory", values="jloW"),
    "mvn": Options(runs="-DargLine", program="-Dexec.executable -Djvm", values="DPTlp",
                   loads="-s --settings -gs --global-settings -f --file -Dmaven.ext.class.path"),
    "meson": Options(within="-C --cross-file --native-file"),
    "ninja": Options(loads="-f", within="-C", values="jkltd"),
    "mypy": Options(program="--python-executable", responds=True,
                    loads="--config-file --plugins --custom-typeshed-dir --install-types",
                    within="--junit-xml --html-report --xml-report --txt-report --cache-dir"
                           " --any-exprs-report --linecount-report --lineprecision-report"),
    "npm": Options(program="--script-shell --shell --git --viewer --editor --browser",
                   loads="--node-options --init-module --userconfig --globalconfig"
                         " --ignore-scripts=false --before --location --use-yarnrc",
                   plain="--global", within="--prefix -C --dir --cwd"),
    "patch": Options(runs="-e --ed", writes="-o --output", values="BDFGVYdgiprz"),
    "pip": Options(program="--python --editor", within="--target -t --prefix --report"
                   " --src -d --dest",
                   loads="--config-settings --log --cache-dir --cert --root", values="rciefb",
                   plain="--pre"),
    "pylint": Options(runs="--init-hook", loads="--rcfile --load-plugins --init-import"
                           " --output-format -f", within="--output", responds=True, values="djr",
                      harmless="text|parseable|colorized|json2?|msvs|github|no_header"),
    "pytest": Options(loads="-p -c --config-file --confcutdir --rootdir --import-mode -o"
                            " --override-ini --pdbcls --tx --px --cov-config --ds --dc --plugin",
                      within="--basetemp --junitxml --junit-xml --log-file --html --debug"
                             " --report-log --rsyncdir",
                      values="kmnWr", responds=True, plain="--cov --pdb", harmless=r"""
        no:\w+|(?:prepend|append|importlib)
        |(?:log_\w+|console_output_style|xfail_strict|faulthandler_timeout|junit_\w+|verbosity_\w+
        |empty_parameter_set_mark|tmp_path_retention_\w+)=[\w.%\ :-]*|addopts="""),
    "ruff": Options(loads="--config", within="-o --output-file --cache-dir"),
    "black": _PYTHON_TOOL,
    "flake8": Options(loads="--config --append-config --enable-extensions --require-plugins",
                      within="--output-file"),
    "isort": Options(loads="--config --settings-path --settings-file --sp --sort-order --formatter"
                           " --config-root"),
    "bandit": Options(loads="-c --configfile --ini", within="-o --output", values="rfltsxnp"),
    "coverage": Options(loads="--rcfile", within="-d --directory -o --data-file"),
    "pre-commit": Options(loads="-c --config", values="t"),
    "pyright": Options(program="--pythonpath", loads="--typeshedpath", within="-p --project"
                       " --venvpath -v"),
    "tox": Options(loads="-c --conf -x --override --root --workdir", values="emfps"),
    "nox": Options(loads="-f --noxfile", values="setkpr"),
    "hatch": Options(loads="--config"),
    "mkdocs": Options(loads="-f --config-file", within="-d --site-dir", values="at"),
    "sphinx-build": Options(loads="-c --conf-dir -D -C", values="bdatjAwM"),
    "golangci-lint": Options(loads="-c --config --path-prefix", values="jEDvp"),
    "phpunit": Options(loads="-c --configuration --bootstrap --extension --printer"
                             " --include-path", within="--log-junit --coverage-html"),
    "rspec": Options(loads="-r --require -I -O --options", within="-o --out", values="eftPbs",
                     harmless="(?:spec|rails|acceptance)_helper"),
    "rake": Options(runs="-e -E -p --execute --execute-print --execute-continue",
                    loads="-f --rakefile -r --require -R --rakelibdir -I --libdir"),
    "eslint": Options(loads="--rulesdir --resolve-plugins-relative-to -c --config --parser"
                            " --plugin -f --format", writes="-o --output-file"),
    "prettier": Options(loads="--plugin --plugin-search-dir --config", writes="-w --write"),
    "jest": Options(loads="-c --config --globalSetup --globalTeardown --setupFiles"
                          " --setupFilesAfterEnv --runner --testRunner --resolver --transform"
                          " --testEnvironment --env --reporters --watchPlugins --preset --filter"
                          " --testResultsProcessor --testSequencer --dependencyExtractor"
                          " --moduleNameMapper --haste --prettierPath --snapshotSerializers"
                          " --modulePaths --moduleDirectories --testURL",
                    within="--rootDir --roots --outputFile --coverageDirectory --cacheDirectory",
                    values="tiwo", plain="--watch --test --watchAll",
                    harmless="default|verbose|summary|jsdom|node|github-actions"),
    "mocha": Options(loads="-r --require --file --config --package -R --reporter -u --ui --opts"
                           " --loader --import --node-option -n --experimental-loader --spec",
                     values="gftbsjA", harmless="""
        (?:spec|dot|min|nyan|list|progress|json|tap|landing|doc|markdown|xunit|html|bdd|tdd|qunit
        |exports)"""),
    "vitest": _VITE, "vite": _VITE, "webpack": _BUNDLER,
    "rollup": Options(loads="-c --config -p --plugin --configPlugin", within="-o --file -d --dir",
                      values="fig"),
    "esbuild": Options(within="--outfile --outdir --tsconfig --metafile --servedir"),
    "tsc": Options(responds=True, within="-p --project --outDir --outFile --declarationDir -b"
                   " --build --generateTrace --tsBuildInfoFile", values="mt"),
    "stylelint": Options(loads="-c --config --config-basedir --custom-syntax --customSyntax"
                               " --custom-formatter --customFormatter -f --formatter --plugins",
                         within="-o --output-file",
                         harmless="string|json|compact|tap|unix|verbose"),
    "playwright": Options(loads="-c --config --reporter --global-setup", within="-o --output",
                          values="gjxu", harmless="list|line|dot|html|json|junit|github|blob|null"),
    "cypress": Options(loads="-C --config-file --config -c --reporter -r --browser -b -P --project",
                       values="speqkt", harmless="chrome|chromium|firefox|edge|electron|spec|dot"),
    "gulp": Options(loads="-f --gulpfile --require --preload --cwd", values="L"),
    "grunt": Options(loads="--gruntfile -b --base --tasks --npm --require"),
    "ava": Options(loads="--config --node-arguments --extension", values="mcT"),
    "turbo": Options(loads="--cwd --root-turbo-json", values="F"),
    "rpm": Options(runs="--eval -E --pipe --define -D --macros --rcfile --load"),
    "terraform": Options(loads="-chdir -plugin-dir -from-module", within="-out -state-out"),
    # The network.
    "curl": Options(loads="-K --config --engine --krb",
                    writes="-o --output -O --remote-name --remote-name-all --output-dir -D"
                           " --dump-header -c --cookie-jar --trace --trace-ascii --stderr"
                           " --libcurl --hsts --alt-svc --etag-save --expand-output --ssl-sessions",
                    values="AbdeEFhHmPQrtTuUwxXyYzC"),
    "nc": Options(runs="-e -c --exec --sh-exec --lua-exec", values="IipqsTVwXx"),
    "ncat": Options(runs="-e -c --exec --sh-exec --lua-exec", values="gGimopswx"),
    "nmap": Options(runs="--script --script-args", writes="-oN -oX -oG -oA -oS"),
    "rsync": Options(runs="-e --rsh --rsync-path -M --remote-option", loads="--config --daemon",
                     writes="--log-file --write-batch --only-write-batch", values="BTf",
                     within="--temp-dir -T --partial-dir --backup-dir", plain="--partial --backup"),
    "scp": Options(runs="-o -S -D", loads="-F", values="cilPX"),
    "sftp": Options(runs="-o -S -D -b", loads="-F", values="cilPBRsX"),
    "ssh": Options(runs="-o", loads="-F -I", values="BbcDEeiJLlmOpQRSWw"),
    "socat": Options(),
    "tcpdump": Options(program="-z", writes="-w", values="BcCEFGijmMrsTVWy"),
    "wget": Options(runs="-e --execute", program="--use-askpass", loads="--config",
                    writes="-O --output-document -o --output-file -a --append-output -P"
                           " --directory-prefix --save-cookies --warc-file --rejected-log"
                           " --hsts-file --warc-tempdir", plain="--reject", values="BDtTiIlQRUwX"),
    "mysql": Options(runs="--pager", loads="--default-auth --plugin-dir --init-command"
                          " --defaults-file --defaults-extra-file --local-infile --system-command",
                     writes="--tee", values="uphPDSe", harmless="cat|less|more|0|OFF|FALSE"),
    "psql": Options(runs="-o --output", loads="-f --file", writes="-L --log-file",
                    values="cdhpUvPFRT"),
    "sqlite3": Options(loads="-unsafe-testing -vfs -A --archive -zip"),
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
    "gmake": "make", "gfind": "find", "mysqldump": "mysql", "mariadb": "mysql", "apt-cache": "apt",
    "latex": "pdflatex", "xelatex": "pdflatex", "lualatex": "pdflatex",
    "buck2": "bazel", "bazelisk": "bazel", "tofu": "terraform", "py.test": "pytest",
    "fish_indent": "cmp",
}.items():  # fmt: skip
    PROGRAMS[_name] = PROGRAMS[_same]
