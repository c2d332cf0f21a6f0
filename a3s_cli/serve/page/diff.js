// What an `edit` replaces, as the lines of a diff: the same rows as at a terminal.

import { add } from "./dom.js";

// Lines on either side that are compared; more are shown as removed and added.
const MOST = 1000;
// Lines shown around a change.
const CONTEXT = 3;
const TAGS = { "-": "del", "+": "ins", " ": "span" };

/** The lines of a text; a newline at the end begins no further line. */
function linesOf(text) {
  const lines = text.replace(/\r\n/g, "\n").split("\n");
  if (!lines.at(-1)) lines.pop();
  return lines;
}

/** For each pair of places, how many lines the rests of both texts have in common, in order. */
function commonLines(old, fresh) {
  const width = fresh.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      const at = i * width + j;
      const same = old[i] === fresh[j];
      common[at] = same ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
    }
  }
  return (i, j) => common[i * width + j];
}

/** The rows of what lies between the common beginning and the common end. */
function compared(old, fresh) {
  const rows = [];
  const bounded = old.length <= MOST && fresh.length <= MOST;
  const common = bounded ? commonLines(old, fresh) : () => 0;
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (bounded && i < old.length && old[i] === fresh[j]) {
      rows.push([" ", old[i++]]);
      j++;
    } else if (i < old.length && (j === fresh.length || common(i + 1, j) >= common(i, j + 1))) {
      rows.push(["-", old[i++]]);
    } else rows.push(["+", fresh[j++]]);
  }
  return rows;
}

/** Leave out rows that are far from a change; a row with `⋮` stands for them. */
function nearChanges(rows) {
  const near = new Set();
  rows.forEach(([sign], at) => {
    if (sign === " ") return;
    for (let one = at - CONTEXT; one <= at + CONTEXT; one++) near.add(one);
  });
  const kept = [];
  let last = null;
  rows.forEach((row, at) => {
    if (!near.has(at)) return;
    if (last !== null && last < at - 1) kept.push(["⋮", ""]);
    kept.push(row);
    last = at;
  });
  return kept;
}

/** Compare two texts. A row is its sign (`-`, `+`, a space, or `⋮` for a gap) and its line. */
export function diff(before, after) {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  const shorter = Math.min(old.length, fresh.length);
  let [head, tail] = [0, 0];
  while (head < shorter && old[head] === fresh[head]) head++;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  const [oldEnd, freshEnd] = [old.length - tail, fresh.length - tail];
  const rows = [
    ...old.slice(0, head).map((line) => [" ", line]),
    ...compared(old.slice(head, oldEnd), fresh.slice(head, freshEnd)),
    ...old.slice(oldEnd).map((line) => [" ", line]),
  ];
  const total = (wanted) => rows.filter(([sign]) => sign === wanted).length;
  return { rows: nearChanges(rows), added: total("+"), removed: total("-") };
}

/** Append the rows; `show` makes a line safe. Rows of a kind share an element: there may be many. */
export function addRows(parent, rows, show) {
  for (let at = 0, end = 0; at < rows.length; at = end) {
    const [sign] = rows[at];
    end = rows.findIndex(([other], place) => place > at && other !== sign);
    if (end < 0) end = rows.length;
    const lines = rows.slice(at, end).map(([, line]) => (sign === "⋮" ? sign : `${sign} ${show(line)}`));
    add(parent, TAGS[sign] ?? "span", "", lines.join("\n"));
  }
}
