// Markdown as DOM nodes, while it is still being written.
//
// A line is parsed as soon as its beginning shows its block; its rest then flows into that
// block. A finished block is never rendered again, and of the open one only the undecided
// end (inline.js). It covers the Markdown that models write; HTML stays text.

import { add, copyButton } from "./dom.js";
import { read, Paragraph } from "./inline.js";
import { Preformatted } from "./preformatted.js";

const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const MARKER = /^( *)([-*+]|\d{1,9}[.)])( +)(?=[^ ])/;
const HEADING = /^ {0,3}(#{1,6}) +(?=[^ ])/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,}) *([^\s`]*)/;
const QUOTE = /^ {0,3}> ?/;
const ROW = /^ {0,3}\|/;
const DELIMITERS = /^ *\|?( *:?-+:? *\|)* *:?-+:?(?: *\|)? *$/;
const HALF_MARKER = /^ *([-*+]|\d{1,9}[.)]?) *$/;
const TASK = /^\[([ xX])\] +(?=[^ ])/;
const HALF_TASK = /^\[(?:[ xX](?:\] *)?)?$/;
// Beginnings of a line that may still become one of several blocks.
const HALF = [
  /^ *$/, ROW, HALF_MARKER,
  /^ {0,3}([-*_])(?: *\1)* *$/,
  /^ {0,3}(`{1,2}$|`{3}|~{1,2}$|~{3})/,
  /^ {0,3}#{1,6} *$/,
];

const indentOf = (text) => /^ */.exec(text)[0].length;
const isBlank = (text) => indentOf(text) === text.length;

// Marks nested deeper than this are text.
const DEEPEST = 20;

function undecided(rest, depth = 0) {
  if (HALF.some((one) => one.test(rest))) return true;
  if (depth > DEEPEST) return false;
  if (depth && HALF_TASK.test(rest)) return true;
  if (QUOTE.test(rest)) return undecided(rest.replace(QUOTE, ""), depth + 1);
  if (!MARKER.test(rest)) return false;
  return undecided(rest.replace(MARKER, "").replace(TASK, ""), depth + 1);
}

/** A document that grows: `write`, then `paint` once a frame, and `close`. */
export class Markdown {
  constructor(parent) {
    this.containers = [{ element: add(parent, "div", "said") }];
    this.leaf = null; // the open block of text
    this.line = ""; // the beginning of a line that is not decided yet
    this.flowing = false; // whether the line's rest goes into the leaf
    this.fresh = ""; // what was written since the last frame
  }

  write(text) {
    this.fresh += text;
  }

  paint() {
    const lines = this.fresh.split("\n");
    const last = lines.pop();
    for (const line of lines) this.feed(line, true);
    if (last) this.feed(last, false);
    this.fresh = "";
    this.leaf?.paint();
  }

  close() {
    this.paint();
    if (this.line || this.flowing) this.feed("", true);
    this.closeTo(1);
  }

  feed(text, whole) {
    if (this.flowing) this.leaf.write(text);
    else if (!this.open((this.line += text), whole)) return; // undecided until more arrives
    this.line = "";
    if (!whole) return;
    if (this.flowing && this.leaf.kind === "fence") this.leaf.write("\n");
    if (this.flowing && this.leaf.kind === "heading") this.closeLeaf();
    this.flowing = false;
  }

  closeLeaf() {
    this.leaf?.close();
    this.leaf = null;
  }

  /** Close the open block and the containers that do not continue. */
  closeTo(depth) {
    this.closeLeaf();
    this.containers.length = depth;
  }

  begin(kind, name, text) {
    this.leaf = Object.assign(new Paragraph(add(this.parent, name)), { kind });
    this.flow(text);
  }

  flow(text) {
    this.leaf.write(text);
    this.flowing = true;
  }

  get parent() {
    const last = this.containers.at(-1);
    return last.item ?? last.element;
  }

  /** Find the block of a line; return false if its beginning does not show it yet. */
  open(line, whole) {
    const inFence = this.leaf?.kind === "fence";
    const plain = inFence ? line : line.replace(/^[ \t]+/, (all) => all.replaceAll("\t", "    "));
    const [depth, rest] = this.match(plain, whole, inFence);
    if (!whole && isBlank(rest)) return false;
    const goesOn = depth === this.containers.length;
    if (inFence && goesOn) return this.fenced(rest, whole);
    if (!isBlank(rest)) return this.start(depth, rest, whole);
    this.closeTo(depth);
    return true;
  }

  /** Return how many open containers continue in this line, and the rest of the line. */
  match(line, whole, inFence) {
    let rest = line;
    let depth = 1;
    for (; depth < this.containers.length; depth += 1) {
      const { item, column, inner } = this.containers[depth];
      const indent = indentOf(rest);
      if (!whole && indent === rest.length) break;
      if (!item) {
        if (!QUOTE.test(rest)) break;
        rest = rest.replace(QUOTE, "");
        continue;
      }
      if (indent < rest.length && indent < inner && !inFence) {
        // Many models indent a nested list by two, regardless of the marker's width.
        if (indent < column + 2) break;
        if (!whole && HALF_MARKER.test(rest)) return [depth, ""];
        if (!MARKER.test(rest)) break;
      }
      rest = rest.slice(Math.min(indent, inner));
    }
    return [depth, rest];
  }

  fenced(rest, whole) {
    const { mark, indent } = this.leaf;
    const same = /^ {0,3}(`*|~*) *$/.exec(rest)?.[1].startsWith(whole ? mark : mark[0]);
    if (same && !whole) return false;
    if (same) this.closeLeaf();
    else this.flow(rest.slice(Math.min(indentOf(rest), indent)));
    return true;
  }

  /** Start the block of this line; return false if it is not decided yet. */
  start(depth, rest, whole) {
    if (!whole && undecided(rest)) return false;
    const nests = this.containers.length < DEEPEST;
    const marker = nests && MARKER.exec(rest);
    const heading = HEADING.exec(rest);
    const fence = whole && FENCE.exec(rest);
    if (ROW.test(rest)) this.row(depth, rest);
    else if (RULE.test(rest)) {
      this.closeTo(depth);
      add(this.parent, "hr");
    } else if (nests && QUOTE.test(rest)) {
      this.closeTo(depth);
      this.containers.push({ element: add(this.parent, "blockquote") });
      this.inside(rest.replace(QUOTE, ""), whole);
    } else if (marker) this.item(depth, rest, marker, whole);
    else if (heading) {
      this.closeTo(depth);
      // The page's own headings come first.
      const level = Math.min(heading[1].length + 2, 6);
      this.begin("heading", `h${level}`, rest.slice(heading[0].length));
    } else if (fence) {
      this.closeTo(depth);
      this.leaf = new Fence(this.parent, fence[1], fence[2], indentOf(rest));
    } else this.text(depth, rest);
    return true;
  }

  /** Continue after a mark. */
  inside(rest, whole) {
    if (!isBlank(rest)) this.start(this.containers.length, rest, whole);
  }

  item(depth, rest, [mark, indent, marker, space], whole) {
    const kind = marker.at(-1);
    // A marker of an open list's kind starts its next item.
    const next = this.containers[depth]?.kind === kind;
    this.closeTo(next ? depth + 1 : depth);
    if (!next) {
      const element = add(this.parent, marker.length > 1 ? "ol" : "ul");
      if (marker.length > 1) element.start = parseInt(marker);
      this.containers.push({ element, kind });
    }
    const list = this.containers.at(-1);
    list.item = add(list.element, "li");
    list.column = indent.length;
    list.inner = indent.length + marker.length + (space.length > 4 ? 1 : space.length);
    const inside = rest.slice(mark.length);
    const [box = "", ticked] = TASK.exec(inside) ?? [];
    if (box) this.task(list.item, ticked !== " ");
    this.inside(inside.slice(box.length), whole);
  }

  /** Begin an item of a task list. */
  task(item, checked) {
    item.className = "task";
    const label = checked ? "done" : "to do";
    add(item, "input", "", "", { type: "checkbox", disabled: true, checked, ariaLabel: label });
  }

  row(depth, rest) {
    const table = depth === this.containers.length && this.leaf;
    if (table?.body || (table?.header && DELIMITERS.test(rest))) return table.add(rest);
    this.closeTo(depth);
    this.leaf = new Table(this.parent, rest);
  }

  text(depth, rest) {
    const text = rest.slice(indentOf(rest));
    // A paragraph continues even without the marks of its containers.
    if (this.leaf?.kind === "text") return this.flow(`\n${text}`);
    this.closeTo(depth);
    this.begin("text", "p", text);
  }
}

class Fence extends Preformatted {
  kind = "fence";

  constructor(parent, mark, language, indent) {
    const figure = add(parent, "figure", "code");
    add(figure, "figcaption", "", language);
    super(add(add(figure, "pre", "", "", { tabIndex: 0 }), "code"), Infinity, language);
    Object.assign(this, { mark, indent });
    copyButton(figure, () => this.text);
  }

  close() {
    this.paint(true);
  }
}

/** A table, recognised when its second line arrives. */
class Table {
  constructor(parent, header) {
    Object.assign(this, { parent, header });
  }

  add(line) {
    if (this.body) return this.row(this.body, "td", line);
    this.align = cells(line).map((cell) => {
      return cell.endsWith(":") ? (cell[0] === ":" ? "center" : "right") : "";
    });
    const table = add(add(this.parent, "div", "wide", "", { tabIndex: 0 }), "table");
    this.row(add(table, "thead"), "th", this.header);
    this.body = add(table, "tbody");
  }

  row(parent, kind, line) {
    const row = add(parent, "tr");
    const values = cells(line);
    for (const [column, align] of this.align.entries()) {
      const cell = add(row, kind);
      cell.style.textAlign = align;
      read(cell, values[column] ?? "");
    }
  }

  paint() {}

  close() {
    if (!this.body) read(add(this.parent, "p"), this.header);
  }
}

function cells(line) {
  const inside = line.trim().replace(/^\||(?<!\\)\|$/g, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}
