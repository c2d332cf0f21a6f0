// A session in the page: it sends prompts, follows the events, and draws once per frame.
//
// Events are queued and drawn together: ten thousand deltas cost no more than what they
// change. A hidden page draws rarely.

import * as api from "./api.js";
import { Run } from "./run.js";

// Milliseconds that a frame spends on events; the rest waits for the next frame.
const BUDGET = 8;

export class Conversation {
  /** `changed()` is called when the state changes. */
  constructor(log, changed) {
    Object.assign(this, { log, changed });
    this.reset(null);
    window.addEventListener("scroll", () => this.scrolled(), { passive: true });
    document.addEventListener("visibilitychange", () => this.schedule());
  }

  reset(session) {
    this.control?.abort();
    this.control = new AbortController();
    this.session = session;
    this.following = null;
    this.runs = [];
    this.queue = [];
    this.last = null; // the id of the last event
    this.lost = false;
    this.stuck = true; // the end stays in view
    this.top = 0;
    this.log.replaceChildren();
  }

  get run() {
    return this.runs.at(-1);
  }

  get running() {
    return this.run?.finished === false;
  }

  begin(prompt, options) {
    this.run?.retry?.remove();
    const answer = (tool, choice) => api.answer(this.session, tool, choice);
    const retry = () => this.send(prompt, options);
    this.runs.push(new Run(this.log, prompt, { answer, retry }));
  }

  /** Send a prompt; `options`: model, schema. */
  send(message, options) {
    if (this.running) return;
    this.begin(message, options);
    // The page names the session, to find the run even if its start never arrives.
    const [random] = crypto.getRandomValues(new Uint32Array(1));
    this.session ??= Date.now().toString(36) + random.toString(36);
    this.toEnd();
    this.changed();
    const body = { message, sessionId: this.session, ...options };
    this.take((signal) => api.chat(body, signal));
  }

  /** Send a message to the active run, or as the next prompt if it is over. */
  async steer(text) {
    const run = this.run;
    const heard = await api.steer(this.session, text).catch(() => false);
    if (!heard) run.unheard.push(text);
    if (!heard && run.finished) this.sendUnheard(run);
  }

  sendUnheard(run) {
    const words = run.unheard.splice(0).join("\n\n");
    if (words && run === this.run) this.send(words, {});
  }

  /** Show a saved session and follow its active run; null is a new session. */
  open(session) {
    this.reset(session);
    if (session) this.take(async () => null);
  }

  /** Something happened in a session: another tab, or another program, may have begun a run. */
  heard(session) {
    if (session === this.session && !this.following) this.take(async () => null);
  }

  async take(connect) {
    const { signal } = this.control;
    const lost = (is) => {
      this.lost = is;
      this.changed();
    };
    let failure = null;
    this.following = signal;
    let cut = { message: "This run was interrupted.", hint: "a3s was stopped while it ran." };
    try {
      // A prompt whose response was lost may be running: look for the run, do not resend.
      await connect(signal).catch((error) => {
        if (!error.lost && error.code !== "busy") throw error;
        cut = error;
      });
      const events = api.follow(this.session, this.last, signal, lost);
      for await (const [id, event] of events) {
        this.last = id;
        this.queue.push(event);
        if (!this.scheduled) this.schedule();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof api.Refusal)) throw error;
      failure = error;
    }
    if (this.following === signal) this.following = null;
    this.drain(Infinity);
    this.lost = false;
    if (failure || this.running) this.refused(failure ?? cut);
    this.drawn();
    if (this.run) this.sendUnheard(this.run);
  }

  /** Show a failure that no event reported. */
  refused(failure) {
    if (!this.running) this.begin("");
    this.run.fail({ ...failure, error: failure.message });
  }

  cancel() {
    // A failure means that the run is over or the connection lost: both are shown.
    if (this.running) api.cancel(this.session).catch(() => {});
  }

  schedule() {
    const work = () => {
      this.scheduled = false;
      this.drain(BUDGET);
      this.drawn();
      if (this.queue.length) this.schedule();
    };
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.scheduled = true;
    // A hidden page has no frames.
    if (document.hidden) this.timer = setTimeout(work, 200);
    else this.frame = requestAnimationFrame(work);
  }

  drain(most) {
    const until = performance.now() + most;
    let done = 0;
    while (done < this.queue.length && performance.now() < until) {
      const event = this.queue[done];
      if (event.type === "start") this.started(event);
      this.run.apply(event);
      done += 1;
    }
    this.queue.splice(0, done);
    for (const run of this.runs) run.paint();
  }

  started({ prompt = "(a direct call)", truncated }) {
    if (this.running && !this.run.began) {
      if (truncated || prompt === this.run.prompt) return;
      this.refused({ message: "Another run is active in this session." });
    }
    this.begin(prompt);
  }

  drawn() {
    if (this.stuck) this.toEnd();
    this.changed();
  }

  toEnd() {
    this.stuck = true;
    window.scrollTo(0, document.documentElement.scrollHeight);
  }

  scrolled() {
    const below = document.documentElement.scrollHeight - window.scrollY - window.innerHeight;
    if (below < 40) this.stuck = true;
    else if (window.scrollY < this.top - 2) this.stuck = false;
    this.top = window.scrollY;
    this.changed();
  }
}
