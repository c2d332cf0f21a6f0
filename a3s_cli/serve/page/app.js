// The page: the conversation, the list of sessions, the composer, and the keys.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { element } from "./dom.js";
import { Sessions } from "./sessions.js";
import { duration } from "./wording.js";

const conversation = new Conversation(element("log"), changed);
const sessions = new Sessions(
  element("sessions"),
  element("menu"),
  (removed) => removed === conversation.session && begin(),
  (error) => conversation.refused(error),
);
const composer = new Composer(
  (message, options) => conversation.send(message, options),
  (message) => conversation.steer(message),
);
const PLACEHOLDERS = ["Ask a question or give a task", "Send a message for the next turn"];
let since = 0;
let listed = ""; // the state that the list of sessions shows

/** Show the current state: in the status line, the title and the buttons. */
function changed() {
  const { run, running, lost, session, stuck, runs } = conversation;
  const asking = Boolean(run?.asking);
  const { runId, model, cwd } = run?.began ?? {};
  if (running !== composer.busy) since = Date.now();
  composer.busy = running;
  composer.prompt.placeholder = PLACEHOLDERS[Number(running)];
  if (runId && listed !== runId + running) sessions.refresh();
  if (runId) listed = runId + running;
  if (running && location.hash.slice(1) !== session) {
    history.pushState(null, "", `#${session}`);
    sessions.mark(session);
  }
  const said = lost ? "Connection lost, reconnecting" : (run?.doing ?? "");
  if (element("status").textContent !== said) element("status").textContent = said;
  document.body.classList.toggle("running", running);
  document.body.classList.toggle("asking", asking);
  element("welcome").hidden = Boolean(session);
  element("cancel").hidden = !running;
  element("send").hidden = running;
  element("latest").hidden = stuck;
  const title = [runs[0]?.prompt.trim().slice(0, 60), "a3s"].filter(Boolean).join(" — ");
  document.title = (asking ? "? " : running ? "● " : "") + title;
  element("where").textContent = [cwd?.split("/").pop(), model].filter(Boolean).join(" · ");
}

/** Show the session that the address names. */
function open() {
  const session = location.hash.slice(1) || null;
  if (session !== conversation.session) conversation.open(session);
  sessions.mark(session);
  changed();
}

function begin() {
  history.pushState(null, "", "/");
  open();
  composer.prompt.focus();
}

function cancel() {
  conversation.cancel();
  composer.prompt.focus();
}

const choose = (choice) => conversation.run?.asking?.choose(choice);
const ALT = {
  KeyY: () => choose("once"),
  KeyA: () => choose("always"),
  KeyN: () => choose("no"),
  KeyK: begin,
  KeyL: () => sessions.toggle(),
  KeyI: () => composer.prompt.focus(),
};

document.addEventListener("keydown", (event) => {
  // Where Alt types a letter (Option on a Mac), it still does.
  const types = event.target.matches("textarea") && !/^[a-z]$/i.test(event.key);
  const act = event.altKey && !event.ctrlKey && !event.metaKey && !types && ALT[event.code];
  if (act) {
    event.preventDefault();
    act();
  } else if (event.key === "Escape" && !element("keys").open && !event.isComposing) {
    if (sessions.open) sessions.toggle(false);
    else cancel();
  }
});

setInterval(() => {
  const time = Date.now() - since;
  element("clock").textContent = composer.busy && time > 2000 ? duration(time) : "";
}, 1000);

const CLICKS = {
  new: begin,
  cancel,
  latest: () => conversation.toEnd(),
  help: () => element("keys").showModal(),
  welcome: ({ target }) => target.matches("button") && composer.write(target.textContent),
};
for (const [id, act] of Object.entries(CLICKS)) element(id).addEventListener("click", act);
window.addEventListener("popstate", open);

api.start((session) => conversation.heard(session));
open();
sessions.refresh();
api.list("models").then((rows) => composer.offer(rows), (error) => conversation.refused(error));
