// The list of sessions: beside the log if there is room, a drawer on a phone.

import * as api from "./api.js";
import { add } from "./dom.js";
import { ago, count } from "./wording.js";

export class Sessions {
  constructor(nav, button) {
    Object.assign(this, { button, list: nav.querySelector("ol"), current: null, asked: 0 });
    button.addEventListener("click", () => this.toggle());
    nav.addEventListener("click", (event) => event.target.closest("a") && this.toggle(false));
  }

  get open() {
    return document.body.classList.contains("sessions");
  }

  toggle(open = !this.open) {
    document.body.classList.toggle("sessions", open);
    this.button.ariaExpanded = open;
    if (open) this.refresh().then(() => this.list.querySelector("a")?.focus());
    else this.button.focus();
  }

  async refresh() {
    // Responses may overtake each other: only the last request's counts.
    const asked = (this.asked += 1);
    // A failure of the server is shown elsewhere.
    const rows = await api.list("sessions").catch(() => null);
    if (rows && asked === this.asked) this.show(rows);
  }

  show(rows) {
    this.list.replaceChildren();
    for (const row of rows) {
      const link = add(add(this.list, "li"), "a", "", "", { href: `#${row.id}` });
      add(link, "span", "title", row.prompt.trim() || "(empty)");
      const facts = [row.live ? "running" : ago(row.used)];
      if (row.turns) facts.push(count(row.turns, "turn"));
      add(link, "span", "facts", facts.join(" · "));
    }
    this.mark(this.current);
  }

  mark(session) {
    this.current = session;
    for (const link of this.list.querySelectorAll("a")) {
      link.ariaCurrent = link.hash.slice(1) === session ? "page" : null;
    }
  }
}
