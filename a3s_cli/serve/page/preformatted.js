// Preformatted text that may be long: a block of code, the output of a command.
//
// A browser lays out a growing block again each time: hence small blocks. With a limit,
// only the end stays in the page.

import { Colours } from "./colours.js";
import { add } from "./dom.js";

const BLOCK = 8192;

/** Preformatted text that grows: `write`, then `paint` once a frame, `paint(true)` at the end. */
export class Preformatted {
  constructor(element, limit = Infinity, language = "") {
    Object.assign(this, { element, limit, language, pieces: [], fresh: [], shown: 0, cut: false });
    this.colours = new Colours(language);
  }

  get text() {
    return this.pieces.join("");
  }

  write(text) {
    this.pieces.push(text);
    this.fresh.push(text);
  }

  paint(final = false) {
    let text = this.fresh.join("");
    this.fresh = [];
    this.shown += text.length;
    while (text) {
      let last = this.element.lastElementChild;
      const size = last?.textContent.length ?? BLOCK;
      // A block ends at the end of a line, unless the line is extremely long.
      if (size >= BLOCK && (!last || last.textContent.endsWith("\n") || size > 8 * BLOCK)) {
        last = add(this.element, "span");
      }
      const room = Math.max(BLOCK - last.textContent.length, 0);
      const end = text.length > room ? text.indexOf("\n", room) + 1 || text.length : text.length;
      this.colours.write(last, text.slice(0, end));
      text = text.slice(end);
    }
    if (final && this.shown) this.colours.write(this.element.lastElementChild, "", true);
    while (this.shown > this.limit && this.element.childElementCount > 1) {
      const first = this.element.firstChild;
      this.shown -= first.textContent.length;
      this.cut = true;
      first.remove();
    }
  }

  showAll() {
    this.limit = Infinity;
    this.element.replaceChildren();
    this.colours = new Colours(this.language);
    this.fresh = [this.text];
    this.paint();
  }
}
