// One run in the log: its prompt, the model's text and calls, and its end.

import { Call } from "./call.js";
import { add, addButton, copyButton } from "./dom.js";
import { Markdown } from "./markdown.js";
import { Preformatted } from "./preformatted.js";
import { count, dollars, duration } from "./wording.js";

/** The model's reasoning, folded. */
class Thought extends Preformatted {
  constructor(parent, ts) {
    const folded = add(parent, "details", "thought");
    const summary = add(folded, "summary", "", "Thinking…");
    super(add(folded, "div"));
    Object.assign(this, { ts, folded, summary });
  }

  close(ts) {
    this.paint();
    const time = ts - this.ts;
    this.summary.textContent = time < 1000 ? "Thought" : `Thought for ${duration(time)}`;
  }
}

export class Run {
  /** `actions`: answer(toolId, choice), retry(). */
  constructor(log, prompt, actions) {
    Object.assign(this, { prompt, actions, doing: "Starting", finished: false });
    this.began = null; // its `start`
    this.calls = new Map();
    this.inputs = new Map(); // what an event had to cut of a call's input, whole
    this.block = null; // the open Markdown or Thought
    this.fresh = new Set(); // the parts to paint
    this.unheard = []; // messages too late for its last turn
    this.element = add(log, "section", "run", "", { ariaBusy: "true" });
    const heading = add(this.element, "h2", "prompt");
    add(heading, "span", "", prompt);
    this.answer = add(this.element, "div", "answer");
  }

  get asking() {
    return [...this.calls.values()].find((call) => call.state === "asking");
  }

  apply(event) {
    HANDLERS[event.type]?.(this, event); // unknown events are ignored
  }

  paint() {
    for (const one of this.fresh) one.paint();
    this.fresh.clear();
  }

  open(Kind, ts) {
    if (!(this.block instanceof Kind)) {
      this.close(ts);
      this.block = new Kind(this.answer, ts);
    }
    this.fresh.add(this.block);
    return this.block;
  }

  close(ts) {
    this.block?.close(ts);
    this.block = null;
  }

  call(event) {
    const { toolId, ts } = event;
    if (!this.calls.has(toolId)) {
      this.close(ts);
      const answer = (choice) => this.actions.answer(toolId, choice);
      this.calls.set(toolId, new Call(this.answer, event, answer));
    }
    const call = this.calls.get(toolId);
    this.fresh.add(call);
    return call;
  }

  /** The input of a call: an event that had to cut it comes after the whole of it. */
  input(event) {
    const text = this.inputs.get(event.toolId);
    try {
      return event.inputTruncated && text ? JSON.parse(text) : event.toolInput;
    } catch {
      return event.toolInput;
    }
  }

  notice(text) {
    add(this.answer, "p", "notice", text);
  }

  finish(event) {
    this.finished = true;
    this.doing = "";
    this.close(event.ts);
    this.paint();
    for (const call of this.calls.values()) call.over();
    this.element.ariaBusy = "false";
  }

  ended(event) {
    this.finish(event);
    const facts = [duration(event.durationMs), count(event.totalTokens, "token")];
    if (event.toolCalls) facts.unshift(count(event.toolCalls, "call"));
    if (event.costUsd !== undefined) facts.push(dollars(event.costUsd));
    const footer = add(this.element, "footer", "", facts.join(" · "));
    if (event.text) copyButton(footer, () => event.text);
  }

  /** Show a failure: an `error` event, or a refusal of the server or the connection. */
  fail(event) {
    this.finish(event);
    const cancelled = event.code === "cancelled";
    const place = add(this.element, "div", `failure ${event.code}`);
    // An old failure is not announced.
    if (!event.ts || Date.now() - event.ts < 5000) place.role = "alert";
    add(place, "p", "", cancelled ? "Cancelled." : event.error);
    if (event.hint) add(place, "p", "", event.hint);
    const { code, provider, status, exitCode } = event;
    const facts = [code, provider, status && `HTTP ${status}`, exitCode && `exit ${exitCode}`];
    add(place, "p", "facts", facts.filter(Boolean).join(" · "));
    this.retry = addButton(place, "Try again", this.actions.retry);
  }
}

const HANDLERS = {
  start(run, event) {
    run.began = event;
    const names = event.attachments?.map(({ name }) => name).join(", ");
    if (names) add(run.answer, "p", "notice", `Attached: ${names}`);
    run.doing = "Thinking";
  },
  turn_start(run) {
    run.doing = "Thinking";
  },
  text_delta(run, { ts, text }) {
    run.doing = "Writing";
    run.open(Markdown, ts).write(text);
  },
  reasoning_delta: (run, { ts, text }) => run.open(Thought, ts).write(text),
  user_message(run, { ts, text }) {
    run.close(ts);
    add(run.answer, "p", "steered", text);
  },
  tool_input_delta(run, { toolId, text }) {
    run.inputs.set(toolId, (run.inputs.get(toolId) ?? "") + text);
  },
  turn_end(run, { ts }) {
    run.inputs.clear(); // the model's own pieces; what an event has to cut comes after this
    run.close(ts);
  },
  permission_request(run, event) {
    run.call(event).ask({ ...event, toolInput: run.input(event) });
    run.doing = `Waiting for you: may ${event.toolName} run?`;
  },
  permission_answer(run, event) {
    run.call(event).answered(event);
    run.doing = "Continuing";
  },
  tool_start(run, event) {
    run.call(event).start({ ...event, toolInput: run.input(event) });
    run.doing = `Running ${event.toolName}`;
  },
  tool_output_delta: (run, event) => run.call(event).write(event.text),
  tool_end: (run, event) => run.call(event).end(event),
  permission_denied: (run, event) => run.call(event).deny(event),
  tool_rejected: (run, event) => run.call(event).reject(event),
  retry(run, event) {
    // The reasoning of the failed attempt is void.
    if (run.block instanceof Thought) run.block.folded.remove();
    run.close(event.ts);
    const wait = duration(event.delayMs);
    run.notice(`${event.reason}: attempt ${event.attempt} of ${event.maxAttempts} in ${wait}`);
  },
  notice: (run, event) => run.notice(event.text),
  end: (run, event) => run.ended(event),
  error: (run, event) => run.fail(event),
};
