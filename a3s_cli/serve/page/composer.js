// The prompt editor: the text, the model and the schema of the answer.

import { Attachments } from "./attachments.js";
import { add, element } from "./dom.js";

export class Composer {
  /** `send(message, options)` starts a run, `steer(message)` sends to the active one. */
  constructor(send, steer) {
    const [prompt, schema, model] = ["prompt", "schema", "model"].map(element);
    Object.assign(this, { send, steer, prompt, schema, model, last: "", busy: false });
    this.attachments = new Attachments();
    this.prompt.addEventListener("input", () => this.fit());
    this.prompt.addEventListener("keydown", (event) => this.key(event));
    element("composer").addEventListener("submit", (event) => this.submit(event));
    element("shaped").addEventListener("click", () => this.shape());
    this.write(sessionStorage.getItem("draft") ?? "");
  }

  key(event) {
    // Enter may belong to an input method.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
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
    try {
      const schema = !element("shape").hidden && this.schema.value.trim();
      if (schema) options.schema = JSON.parse(schema);
    } catch (error) {
      element("wrong").textContent = `Not valid JSON: ${error.message}`;
      return this.schema.focus();
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
