// The page: the conversation, the list of sessions, the composer, and the keys.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Sessions } from "./sessions.js";
import { duration } from "./wording.js";

const element = (id) => document.getElementById(id);
const status = element("status");
const keys = element("keys");

const conversation = new Conversation(element("log"), changed);
const sessions = new Sessions(element("sessions"), element("menu"));
const composer = new Composer((message, options) => conversation.send(message, options));
let since = 0;
let listed = null; // what the list of sessions was made for

/** Say what is going on: in words, in the title, and by which buttons there are. */
function changed() {
  const { run, running, lost, session } = conversation;
  const asking = Boolean(run?.asking);
  if (running !== composer.busy) since = Date.now();
  composer.busy = running;
  const state = run?.began && `${run.began.runId} ${running}`;
  if (state && state !== listed) sessions.refresh();
  listed = state;
  if (running && location.hash.slice(1) !== session) {
    history.pushState(null, "", `#${session}`);
    sessions.mark(session);
  }
  const said = lost ? "The connection is lost, trying again" : (run?.doing ?? "");
  if (status.textContent !== said) status.textContent = said;
  document.body.classList.toggle("running", running);
  document.body.classList.toggle("asking", asking);
  element("welcome").hidden = Boolean(session);
  element("cancel").hidden = !running;
  element("send").hidden = running;
  element("latest").hidden = conversation.stuck;
  const name = [conversation.runs[0]?.prompt.trim().slice(0, 60), "a3s"].filter(Boolean).join(" — ");
  document.title = `${asking ? "? " : running ? "● " : ""}${name}`;
  const { model, cwd } = run?.began ?? {};
  element("where").textContent = [cwd?.split("/").pop(), model].filter(Boolean).join(" · ");
}

/** Show what the address names. */
function open() {
  const session = location.hash.slice(1) || null;
  if (session === conversation.session) return;
  sessions.mark(session);
  if (session) conversation.open(session);
  else conversation.reset(null);
  changed();
}

function begin() {
  history.pushState(null, "", location.pathname);
  open();
  composer.prompt.focus();
}

function cancel() {
  conversation.cancel().catch(() => {}); // then it is over, or the connection is lost
  composer.prompt.focus();
}

function answer(choice) {
  conversation.run?.asking?.choose(choice);
}

const ALT = {
  KeyY: () => answer("once"),
  KeyA: () => answer("always"),
  KeyN: () => answer("no"),
  KeyK: begin,
  KeyL: () => sessions.toggle(),
  KeyI: () => composer.prompt.focus(),
};

document.addEventListener("keydown", (event) => {
  // Where Alt types a letter (Option on a Mac), it goes on to do so.
  const types = event.target.matches("textarea") && !/^[a-z]$/i.test(event.key);
  const act = event.altKey && !event.ctrlKey && !event.metaKey && !types && ALT[event.code];
  if (act) {
    event.preventDefault();
    act();
  } else if (event.key === "Escape" && !keys.open && !event.isComposing) {
    if (sessions.open) {
      sessions.toggle(false);
      element("menu").focus();
    } else if (conversation.running) cancel();
  }
});

setInterval(() => {
  const time = Date.now() - since;
  element("clock").textContent = conversation.running && time > 2000 ? duration(time) : "";
}, 1000);

element("new").addEventListener("click", begin);
element("cancel").addEventListener("click", cancel);
element("latest").addEventListener("click", () => conversation.toEnd());
element("help").addEventListener("click", () => keys.showModal());
element("welcome").addEventListener("click", ({ target }) => {
  if (target.matches("button")) composer.write(target.textContent);
});
window.addEventListener("popstate", open);

open();
changed();
sessions.refresh();
api.list("models").then((rows) => composer.offer(rows), (error) => conversation.refused(error));
