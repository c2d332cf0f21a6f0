// Colours of code while it is written: it knows which comment or string is open, and looks at
// each character once. What more text may turn into another token is plain until then.

import { add } from "./dom.js";

const BASE = `async await break case catch class const continue default do else enum extends false
  finally for function if implements import in instanceof interface let new null package private
  protected public return static struct super switch this throw true try type typeof var void while yield `;
const PYTHON = `@ False None True and as assert async await break class continue def del elif else except
  finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`;
const SHELL = `case do done elif else esac exit export fi for function if in local return set shift
  then trap unset until while`;
const DATA = "true false null";
const C = `${BASE}@ #define #else #endif #if #ifdef #ifndef #include #pragma auto bool char double extern
  float goto inline int long namespace nullptr short signed sizeof template typedef union unsigned
  using virtual volatile`;
const JS = `${BASE}@ as declare delete export from keyof of readonly undefined`;
const GO = `${BASE}chan defer fallthrough func go goto map nil range select`;
const RUST = `${BASE}as crate dyn extern fn impl loop match mod move mut pub ref self Self trait unsafe use where`;

// What opens a comment or a string, its kind, and what closes it; a raw one has no escapes.
const RAW = "";
const SLASHES = [["//", "c", "\n"], ["/*", "c", "*/"]];
const HASH = ["#", "c", "\n"];
const QUOTES = [['"', "s", '"', "\n"], ["'", "s", "'", "\n"]];
const TRIPLE = [['"""', "s", '"""'], ["'''", "s", "'''"]];
const TICKS = ["`", "s", "`"];
const LINES = ["+++ k", "--- k", "+a", "-d", "@@n", "diff k"];
// Other tokens by kind, and what may become one.
const ESCAPE = /\\[^\n][^'\n]{0,8}/.source;
const CHAR = { s: `'(?:${ESCAPE}|[^'\\\\\n])'`, half: `'(?:${ESCAPE}|[^'\n])?` };
const NAME = /(?<![\w.-])[\w.-]{1,99}/.source;
const KEY = { k: `${NAME}(?= {0,9}[:=]\\s)`, half: `${NAME} {0,9}[:=]?` };
const TAG = { k: /<[!/?]?[a-zA-Z][\w:-]{0,99}/.source, half: /<[/?]/.source };

const DIFF = "diff patch";

// By name: keywords ("@": what begins with it), openers, other tokens.
const LANGUAGES = {
  "c h cc cpp hpp c++ cs csharp java kt kotlin swift php": [C, [...SLASHES, ...QUOTES]],
  "js jsx mjs javascript ts tsx typescript": [JS, [...SLASHES, ...QUOTES, TICKS, ["/", "s", "/", "\n"]]],
  "go golang": [GO, [...SLASHES, ...QUOTES, [...TICKS, RAW]]],
  "rs rust": [RUST, [...SLASHES, ['"', "s", '"']], CHAR],
  "py python python3": [PYTHON, [HASH, ...TRIPLE, ...QUOTES]],
  "json jsonc json5 jsonl ndjson": [DATA, [...SLASHES, QUOTES[0]]],
  "sh bash shell zsh dockerfile makefile": [SHELL, [HASH, ['"', "s", '"'], ["'", "s", "'", RAW]]],
  "yaml yml toml ini": [DATA, [HASH, ...TRIPLE, ...QUOTES], KEY],
  "html htm xml svg vue": ["", [["<!--", "c", "-->"], ['="', "s", '"'], ["='", "s", "'"]], TAG],
  "css scss less": ["@", [SLASHES[1], ...QUOTES], KEY],
  [DIFF]: ["", LINES.map((line) => [line.slice(0, -1), line.at(-1), "\n"])],
};
// Where an opener stands: no `$#`, no division.
const AFTER = { "#": "(?<![\\w$\\\\{&])", "/": "(?<=[=(,:!&|?[{;] ?)" };
const WORD = /[#@]?[a-zA-Z_$\u0080-\uffff][\w$\u0080-\uffff]{0,99}/.source;
const NUMBER = /#?\d[\w.]{0,99}/.source;

const literal = (text) => text.replace(/[^\w\s]/g, "\\$&");
const begun = (texts) => texts.flatMap((text) => [...text].map((_, at) => text.slice(0, at)));
const any = (texts) => texts.filter(Boolean).map(literal).join("|");

/** Make the expression that finds the next token, a group for each kind that has a source. */
function scanner(kinds) {
  const groups = Object.entries(kinds).filter(([, source]) => source);
  return new RegExp(groups.map(([kind, source]) => `(?<${kind}>${source})`).join("|"), "g");
}

function compile([words, pairs, { half, ...tokens } = {}], after) {
  const modes = new Map();
  for (const [opener, kind, ...close] of pairs) {
    const skip = kind === "s" && !close.includes(RAW) && "\\\\[^]";
    const scan = scanner({ half: `(?:${any(["\\", ...begun(close)])})$`, end: any(close), skip });
    modes.set(opener, { kind, scan });
  }
  const openers = [...modes.keys()];
  const halves = [any(begun(openers)), half, words && "[#@]"].filter(Boolean).join("|");
  const scan = scanner({
    half: halves && `(?:${halves})$`,
    open: openers.map((one) => (after || AFTER[one] || "") + literal(one)).join("|"),
    ...tokens,
    word: words && WORD,
    n: words && NUMBER,
  });
  return { scan, modes, words: new Set(words.split(/\s+/)) };
}

/** The colours of one text that grows; one in an unknown language has none. */
export class Colours {
  constructor(language) {
    const names = Object.keys(LANGUAGES).find((all) => {
      return all.split(" ").includes(language.toLowerCase());
    });
    if (names) Object.assign(this, compile(LANGUAGES[names], names === DIFF && "(?<![^\n])"));
    this.before = ""; // the last characters that are decided
    this.tail = new Text(); // what is not
    this.mode = null; // the open comment or string, and its element
    this.element = null;
  }

  /** Append to an element; everything is decided if this is `final`. */
  write(parent, text, final) {
    this.tail.remove();
    const all = this.before + this.tail.data + text;
    const at = this.read(parent, all, this.before.length, final);
    this.before = all.slice(Math.max(at - 2, 0), at);
    this.tail.data = all.slice(at);
    if (this.tail.data) parent.append(this.tail);
  }

  read(parent, all, from, final) {
    let at = from;
    while (at < all.length) {
      const { mode } = this;
      const { scan } = mode ?? this;
      if (scan) scan.lastIndex = at;
      const found = scan?.exec(all);
      const start = found?.index ?? all.length;
      this.put(parent, all.slice(at, start), mode?.kind);
      at = start + (found?.[0].length ?? 0);
      if (!found) continue;
      const { half, open, end } = found.groups;
      if (!final && (half || (!mode && at === all.length))) return start;
      if (open) this.mode = this.modes.get(open);
      const kind = this.mode?.kind ?? this.kind(found, all[start - 1]);
      if (end) this.mode = null;
      this.put(parent, found[0], kind);
    }
    return at;
  }

  kind({ 0: token, groups: { k, s, n, word } }, before = "") {
    if (!word) return k ? "k" : s ? "s" : n ? "n" : "";
    return this.words.has(token[0] === "@" ? "@" : token) && !/[-.\w]/.test(before) ? "k" : "";
  }

  put(parent, text, kind) {
    if (!text) return;
    if (this.element?.parentNode !== parent) this.element = null;
    if (kind) this.element ??= add(parent, "i", kind);
    const place = this.element ?? parent;
    if (place.lastChild instanceof Text) place.lastChild.appendData(text);
    else place.append(text);
    if (!this.mode) this.element = null;
  }
}
