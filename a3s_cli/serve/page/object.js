// A JSON value that grows. Each state extends the previous one, so shown nodes stay.

import { add } from "./dom.js";

/** The view of one value; `show` is called for each new state. */
export class ValueView {
  constructor(parent) {
    this.element = add(parent, "span");
  }

  show(value) {
    const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    if (kind !== this.kind) this.begin(kind);
    if (kind === "object") for (const key of Object.keys(value)) this.child(key, value[key]);
    else if (kind === "array") {
      // All elements but the last are finished.
      const from = Math.max(this.children.size - 1, 0);
      for (let i = from; i < value.length; i += 1) this.child(i, value[i]);
    } else this.scalar(String(value));
  }

  begin(kind) {
    this.kind = kind;
    this.children = new Map();
    this.element.className = `value ${kind}`;
    this.element.replaceChildren("");
    const list = { object: "ul", array: "ol" }[kind];
    if (list) this.list = add(this.element, list);
  }

  child(key, value) {
    if (!this.children.has(key)) {
      const item = add(this.list, "li");
      if (this.kind === "object") add(item, "span", "key", key);
      this.children.set(key, new ValueView(item));
    }
    this.children.get(key).show(value);
  }

  scalar(text) {
    const node = this.element.firstChild;
    if (text.startsWith(node.data)) node.appendData(text.slice(node.length));
    else node.data = text;
  }
}

/** The object of a `generate_object` call, drawn from the documents that it streams. */
export class GrowingObject {
  constructor(parent) {
    this.element = add(parent, "div", "tree");
    this.round = 0;
    this.view = new ValueView(this.element);
  }

  write(text) {
    this.state = JSON.parse(text);
  }

  paint() {
    const state = this.state;
    this.state = null;
    if (!state) return;
    // A repair replaces what was shown.
    if (state.round !== this.round) this.view.begin();
    this.round = state.round;
    if ("object_partial" in state) this.view.show(state.object_partial);
    else if (state.object_partial_omitted) {
      this.view.show(`${state.partial_bytes.toLocaleString("en")} bytes so far`);
    }
  }

  finish(value) {
    this.state = null;
    this.view.begin();
    this.view.show(value);
  }
}
