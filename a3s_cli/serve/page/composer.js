// The prompt editor: the text, the model and the schema of the answer.

import { Attachments } from "./attachments.js";
import { add, element } from "./dom.js";

const EMPTY = "The schema is empty: write one, or close “{ } Object” for an answer in text.";
const TOUCH = matchMedia("(hover: none) and (pointer: coarse)");

export class Composer {
  /** `send(message, options)` starts a run, `steer(message)` sends to the active one. */
  constructor(send, steer) {
    const [prompt, schema, model] = ["prompt", "schema", "model"].map(element);
    Object.assign(this, { send, steer, prompt, schema, model, last: "", busy: false });
    this.attachments = new Attachments();
    this.prompt.addEventListener("input", () => this.fit());
    // The key of a phone's keyboard shows what it does.
    if (TOUCH.matches) this.prompt.enterKeyHint = "enter";
    this.prompt.addEventListener("keydown", (event) => this.key(event));
    element("composer").addEventListener("submit", (event) => this.submit(event));
    element("shaped").addEventListener("click", () => this.shape());
    this.write(sessionStorage.getItem("draft") ?? "");
  }

  key(event) {
    // Enter may belong to an input method (229 where it says so in no other way); on a touch
    // screen, which has no Shift, it is a new line.
    const composing = event.isComposing || event.keyCode === 229;
    const sends = event.key === "Enter" && !event.shiftKey && !composing && !TOUCH.matches;
    if (sends || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) this.submit(event);
    if (event.key === "ArrowUp" && !this.prompt.value) {
      event.preventDefault();
      this.write(this.last);
    }
  }

  write(text) {
    this.prompt.value = text;
    this.prompt.focus();
    this.fit();
  }

  /** Grow with the text, and save it so that it survives a reload. */
  fit() {
    const { style } = this.prompt;
    style.height = "auto";
    style.height = `${this.prompt.scrollHeight}px`;
    sessionStorage.setItem("draft", this.prompt.value);
  }

  shape() {
    const { hidden } = element("shape");
    element("shape").hidden = !hidden;
    element("shaped").ariaExpanded = hidden;
    (hidden ? this.schema : this.prompt).focus();
  }

  async submit(event) {
    event.preventDefault();
    const message = this.prompt.value;
    if (!message.trim()) return;
    if (this.busy) {
      this.write("");
      return this.steer(message);
    }
    const options = this.model.value ? { model: this.model.value } : {};
    element("wrong").textContent = "";
    if (!element("shape").hidden) {
      try {
        options.schema = JSON.parse(this.schema.value);
      } catch (error) {
        const said = this.schema.value.trim() ? `Not valid JSON: ${error.message}` : EMPTY;
        element("wrong").textContent = said;
        return this.schema.focus();
      }
    }
    this.last = message;
    this.write("");
    const attachments = await this.attachments.send();
    if (attachments.length) options.attachments = attachments;
    this.send(message, options);
  }

  /** Offer the models that are ready; the configured one is the default. */
  offer(rows) {
    const chosen = rows.find((row) => row.default);
    add(this.model, "option", "", chosen?.model ?? "Default model", { value: "" });
    for (const { model, ready } of rows) {
      if (ready && model !== chosen?.model && !model.endsWith("/MODEL")) {
        add(this.model, "option", "", model);
      }
    }
  }
}
