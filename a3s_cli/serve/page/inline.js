// One paragraph of Markdown as DOM nodes, while it is still being written.
//
// A model's text is data: HTML is never parsed, links have safe schemes, and images become
// links, so that nothing is executed or fetched.
//
// Text is settled up to the first mark that may still begin a token. Settled text never
// changes, and how the text was split into deltas does not matter.

import { add } from "./dom.js";

const MARK = /(?<!\*)\*{2,3}(?!\*)|(?<![*\w])\*(?!\*)|(?<!\w)_{1,3}(?!_)|(?<!~)~~(?!~)/.source;
// Code and escapes hide marks. All repetition is bounded, so that no text is slow to parse.
const BODY = /(?:`[^`]{0,500}`|\\[^]|[^\\`]){1,1000}?/.source;
const LABEL = /(?<label>(?:\\[^]|\[[^\][]{0,200}\]|[^\][\\]){0,1000})/.source;
const TARGET = /\(\s{0,9}<?(?<target>(?:\([^\s()]{0,200}\)|[^\s()<>]){0,2000})>?(?:\s{1,9}"[^"]{0,200}")?\s{0,9}\)/;
const TOKENS = [
  /\\(?<escaped>[!-/:-@[-`{-~])/.source,
  /(?<!`)(?<ticks>`{1,9})(?!`)(?<code>[^]{0,2000}?[^`])\k<ticks>(?!`)/.source,
  `(?<mark>${MARK})(?=\\S)(?<body>${BODY})(?<![\\s*~])\\k<mark>(?![*~]|(?<=_)\\w)`,
  `(?<image>!?)\\[${LABEL}\\]${TARGET.source}`,
  /(?<!\w)(?<bare>https?:\/\/[^\s<>"*`]{1,2000})/.source,
  /(?<br><br ?\/?>)|&(?<entity>amp|lt|gt|quot|nbsp);/.source,
];
// Every token begins with one of these.
const SPECIAL = /[\\`*_~!<&[]|h(?=ttps?:|[tps:/]{0,7}$)/g;
const TOKEN = new RegExp(TOKENS.join("|"), "y");
// Text that may become a token when more text arrives.
const ENDS = /[*_~]+$|!?\[|[!\\]$|`|<(?=b|$)|&(?=[a-z]|$)|(?<!\w)h[tps:/]{0,7}$/.source;
const HALF = new RegExp(`(?:${MARK})(?=\\S|$)|${ENDS}`, "y");
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

function safeAddress(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function put(parent, text) {
  const last = parent.lastChild;
  // Leave a long node alone: the browser reshapes a node each time it grows.
  if (last?.nodeType === Node.TEXT_NODE && last.length < 1000) last.appendData(text);
  else if (text) parent.append(text);
}

/** A paragraph that grows: `write`, then `paint` once a frame, and `close` at its end. */
export class Paragraph {
  constructor(element) {
    this.element = element;
    this.before = ""; // the last settled character
    this.rest = ""; // the text that is not settled
    this.tail = document.createElement("span"); // how it looks for now
  }

  write(text) {
    this.rest += text;
  }

  paint(final = false) {
    this.tail.remove();
    const text = this.before + this.rest;
    const settled = read(this.element, text, this.before.length, final);
    this.before = text.slice(settled - 1, settled);
    this.rest = text.slice(settled);
    // Half a mark would only flicker.
    this.tail.textContent = this.rest.replace(/\]\([^)]*$|^[*_`~!<&[\\]+|[*_`~]+$/g, "");
    if (this.rest) this.element.append(this.tail);
  }

  close() {
    this.paint(true);
  }
}

/** Append nodes for the settled text from `from` on, and return where it ends. */
export function read(parent, text, from = 0, final = true, linked = false) {
  for (let at = from; at < text.length; ) {
    SPECIAL.lastIndex = at;
    const start = SPECIAL.exec(text)?.index ?? text.length;
    put(parent, text.slice(at, start));
    TOKEN.lastIndex = HALF.lastIndex = start;
    const found = TOKEN.exec(text);
    at = start + (found?.[0].length ?? 1);
    // The token is open, or the next character may change it.
    if (!final && (found ? at === text.length : HALF.test(text))) return start;
    if (found) at -= token(parent, found.groups, linked);
    else put(parent, text.slice(start, at));
  }
  return text.length;
}

/** Append a token, and return how many of its last characters do not belong to it. */
function token(parent, groups, linked) {
  const { escaped, ticks, code, mark, body, label, bare, br, entity } = groups;
  if (escaped) put(parent, escaped);
  else if (ticks) add(parent, "code", "", code.replace(/^ (.*\S.*) $/, "$1"));
  else if (mark) read(marked(parent, mark), body, 0, true, linked);
  else if (label !== undefined) link(parent, groups, linked);
  else if (bare) return address(parent, bare, linked);
  else if (br) add(parent, "br");
  else put(parent, ENTITIES[entity]);
  return 0;
}

function marked(parent, mark) {
  if (mark[0] === "~") return add(parent, "del");
  const outer = mark.length > 1 ? add(parent, "strong") : parent;
  return mark.length === 2 ? outer : add(outer, "em");
}

function anchor(parent, href, text = "") {
  if (!href) return add(parent, "span", "", text);
  const rel = "noopener noreferrer";
  return add(parent, "a", "", text, { href, title: href, rel, target: "_blank" });
}

function link(parent, { image, label, target }, linked) {
  const href = linked ? null : safeAddress(target);
  const element = anchor(parent, href);
  if (image) put(element, `🖼 ${label || target}`);
  else read(element, label, 0, true, true);
  // Show an address that may not be followed.
  if (!href && target) put(parent, ` (${target})`);
}

function address(parent, bare, linked) {
  let text = bare;
  const unbalanced = () => text.endsWith(")") && text.split(")").length > text.split("(").length;
  while (/[.,;:!?'\]}_~]$/.test(text) || unbalanced()) text = text.slice(0, -1);
  anchor(parent, linked ? null : safeAddress(text), text);
  return bare.length - text.length;
}
