// The list of sessions: beside the log, or a drawer on a phone.

import * as api from "./api.js";
import { add, addButton } from "./dom.js";
import { ago, count, dollars, plain } from "./wording.js";

export class Sessions {
  /** `removed(session)` and `failed(error)` are called after a deletion. */
  constructor(nav, button, removed, failed) {
    const [search, list] = [nav.querySelector("input"), nav.querySelector("div")];
    Object.assign(this, { button, search, list, removed, failed, current: null, asked: 0, single: null, armed: null });
    button.addEventListener("click", () => this.toggle());
    nav.addEventListener("click", (event) => event.target.closest("a") && this.toggle(false));
    search.addEventListener("input", () => this.refresh());
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
    // Responses may overtake each other.
    const asked = (this.asked += 1);
    const words = this.search.value.trim();
    const query = words ? `?q=${encodeURIComponent(words)}` : "";
    const rows = await api.list(`sessions${query}`).catch(() => null);
    if (rows && asked === this.asked) this.show(rows, words);
  }

  show(rows, words) {
    // Scripts leave many sessions of one run, which are rarely continued.
    const alone = ({ id, runs, live }) => !words && runs === 1 && !live && id !== this.current;
    const [single, kept] = [rows.filter(alone), rows.filter((row) => !alone(row))];
    // A button that is replaced loses its press.
    const drawn = JSON.stringify([kept, single, words, rows.map(facts)]);
    if (drawn === this.drawn) return this.mark(this.current);
    this.drawn = drawn;
    this.list.replaceChildren();
    this.addRows(this.list, kept);
    if (single.length) {
      const group = add(this.list, "details", "", "", { open: this.single ?? !kept.length });
      add(group, "summary", "", count(single.length, "single run"))
        .addEventListener("click", () => (this.single = !group.open));
      this.addRows(group, single);
    }
    if (words && !rows.length) add(this.list, "p", "facts", "No session matches.");
    this.mark(this.current);
  }

  addRows(parent, rows) {
    const list = add(parent, "ol");
    for (const row of rows) {
      const item = add(list, "li");
      const name = plain((row.title || row.prompt).trim()) || "(empty)";
      const link = add(item, "a", "", "", { href: `#${row.id}` });
      add(link, "span", "title", name);
      add(link, "span", "facts", facts(row).join(" · "));
      if (!row.live) this.addDelete(item, row.id, name);
    }
  }

  /** Add the button that deletes a session at its second press. */
  addDelete(item, session, name) {
    const label = `Delete ${name.slice(0, 60)}`;
    const arm = (armed) => {
      this.armed = armed ? session : null;
      button.textContent = armed ? "Delete?" : "×";
      button.ariaLabel = armed ? `${label}: press again` : label;
    };
    const button = addButton(item, "×", () => {
      if (this.armed !== session) return arm(true);
      const deleted = () => (this.removed(session), this.refresh());
      return api.remove(session).then(deleted, this.failed);
    });
    // The list may have been drawn again between the two.
    if (this.armed === session) {
      arm(true);
      button.focus();
    } else button.ariaLabel = label;
    button.addEventListener("blur", () => button.isConnected && arm(false));
  }

  mark(session) {
    this.current = session;
    for (const link of this.list.querySelectorAll("a")) {
      link.ariaCurrent = link.hash.slice(1) === session ? "page" : null;
    }
  }
}

/** What a row says below its title. */
function facts(row) {
  const said = [row.live ? "running" : ago(row.used)];
  if (row.turns) said.push(count(row.turns, "turn"));
  if (!row.live && row.verdict && row.verdict !== "success") said.push(plain(row.verdict));
  if (row.totalTokens) said.push(count(row.totalTokens, "token"));
  if (row.costUsd !== undefined) said.push(dollars(row.costUsd));
  return said;
}
