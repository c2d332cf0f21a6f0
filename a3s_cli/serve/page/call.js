// A tool call as a card: its arguments, its permission, its output and its result.

import { addRows, diff } from "./diff.js";
import { add, addButton, copyButton } from "./dom.js";
import { GrowingObject } from "./object.js";
import { Preformatted } from "./preformatted.js";
import { count, duration, plain, printed } from "./wording.js";

// Characters of a command's output that stay in the page.
const SHOWN = 65536;
const SUBJECTS = ["command", "file_path", "pattern", "url", "path", "schema_name", "prompt"];
// The output of these stays folded.
const QUIET = ["read", "ls", "glob", "grep", "web_fetch"];
const MARKS = { asking: "?", running: "●", done: "✓", failed: "✗", denied: "⊘" };
const ANSWERS = { once: "Allow once", always: "Always in this run", no: "No" };
const EXACTLY = { bash: "exactly this script", web_fetch: "exactly this URL" };
const KEYS = { once: "Y", always: "A", no: "N" };

// Characters of a call's subject in its summary; the whole is below.
const SUMMARY = 300;

/** An argument as text; of one that was too long for its event, how much is not shown. */
function whole(value) {
  if (typeof value === "string") return value;
  if (value?.omitted && value.sha256) {
    return `${value.head}…\n[${count(value.omitted, "byte")} in all: not shown here]`;
  }
  return JSON.stringify(value, null, 2);
}

/** The language of an argument: a command's, or that of the file that is written. */
function languageOf(name, { file_path: path }) {
  if (name === "command") return "sh";
  return name === "content" ? String(path).split(".").at(-1) : "";
}

/** What an `edit` changes; null if its texts are cut, or differ in their line ends alone. */
function changeOf({ old_string: old, new_string: fresh }) {
  if (typeof old !== "string" || typeof fresh !== "string") return null;
  const change = diff(old, fresh);
  return change.rows.length ? change : null;
}

/** What "always" allows: the rule that it would add, else the tool on what this call acts on. */
function coveredBy({ always, path, toolName }) {
  if (always) return always;
  if (path) return `every ${toolName} of ${path}`;
  return EXACTLY[toolName] ?? `every call of ${toolName}`;
}

export class Call {
  constructor(parent, event, answer) {
    this.name = event.toolName;
    this.answer = answer;
    this.element = add(parent, "details", "call");
    const summary = add(this.element, "summary");
    this.mark = add(summary, "span", "mark", "", { ariaHidden: "true" });
    add(summary, "b", "", plain(this.name));
    this.subject = add(summary, "code");
    this.outcome = add(summary, "span", "outcome");
    this.body = add(this.element, "div", "body");
    this.input = add(this.body, "dl");
    this.describe(event.toolInput ?? { arguments: event.rawInput });
  }

  set(state, outcome, open = this.element.open) {
    this.state = state;
    this.element.className = `call ${state}`;
    this.mark.textContent = MARKS[state];
    this.outcome.textContent = outcome;
    this.element.open = open;
  }

  describe(input) {
    const key = SUBJECTS.find((one) => typeof input[one] === "string");
    const subject = plain(input[key] ?? "");
    const first = subject.split("\n", 1)[0].slice(0, SUMMARY);
    this.subject.textContent = first.length < subject.length ? `${first}…` : first;
    this.input.replaceChildren();
    const change = changeOf(input);
    for (const [name, value] of Object.entries(input)) {
      // Skip what the summary shows already, and what only the model needs.
      if (name === key && /^.{0,59}$/.test(subject)) continue;
      if (name === "schema" && this.state !== "asking") continue;
      if (change && /^(old|new)_string$/.test(name)) continue;
      const text = whole(value);
      const lines = text.split("\n").length;
      const place = this.argument(plain(name) + (lines > 1 ? ` · ${count(lines, "line")}` : ""));
      const coloured = new Preformatted(place, Infinity, languageOf(name, input));
      coloured.write(plain(text));
      coloured.paint(true);
    }
    if (!change) return;
    const place = this.argument(`change · +${change.added} −${change.removed}`);
    place.className = "diff";
    addRows(place, change.rows, plain);
  }

  argument(title) {
    add(this.input, "dt", "", title);
    return add(add(this.input, "dd"), "pre", "", "", { tabIndex: 0 });
  }

  ask(event) {
    this.set("asking", "waiting for you", true);
    this.describe(event.toolInput);
    this.question = add(this.body, "div", "question", "", { role: "group" });
    this.question.ariaLabel = `May ${this.name} run?`;
    const why = event.rule === "default" ? "No rule covers this call" : `Rule: ask ${event.rule}`;
    add(this.question, "p", "", `${why}. May it run?`);
    const more = event.reason && !event.reason.startsWith("no rule covers ");
    if (more) add(this.question, "p", "why", plain(event.reason));
    if (event.path) add(this.question, "p", "why", `On ${plain(event.path)}`);
    add(this.question, "p", "why", `“${ANSWERS.always}” covers: ${plain(coveredBy(event))}`);
    for (const [choice, label] of Object.entries(ANSWERS)) {
      const button = addButton(this.question, `${label} `, () => this.choose(choice));
      button.className = choice;
      add(button, "kbd", "", `Alt ${KEYS[choice]}`);
    }
  }

  async choose(choice) {
    const buttons = this.question?.querySelectorAll("button") ?? [];
    for (const button of buttons) button.disabled = true;
    try {
      await this.answer(choice);
    } catch (error) {
      for (const button of buttons) button.disabled = false;
      this.say(error.message);
    }
  }

  answered({ answer }) {
    this.question?.remove();
    this.set("running", answer === "no" ? "refused" : "allowed");
  }

  start(event) {
    this.describe(event.toolInput);
    this.set("running", "running", this.element.open || !QUIET.includes(this.name));
  }

  write(text) {
    if (this.name === "generate_object") {
      this.object ??= new GrowingObject(this.body);
      this.object.write(text);
    } else this.print(text);
  }

  print(text) {
    if (!this.output) {
      const place = add(this.body, "div", "code");
      this.block = add(place, "pre", "output", "", { tabIndex: 0, role: "region" });
      this.block.ariaLabel = `Output of ${this.name}`;
      const language = text.startsWith("diff --git ") ? "diff" : "";
      this.output = new Preformatted(add(this.block, "code"), SHOWN, language);
      copyButton(place, () => this.output.text);
    }
    this.output.write(printed(text));
  }

  paint() {
    this.object?.paint();
    if (!this.output) return;
    const { block } = this;
    const atEnd = block.scrollTop + block.clientHeight >= block.scrollHeight - 24;
    this.output.paint();
    if (atEnd && this.state === "running") block.scrollTop = block.scrollHeight;
    if (this.output.cut && !this.more) this.offerAll();
  }

  offerAll() {
    this.more = addButton(this.body, "Show all output", () => {
      this.output.showAll();
      this.block.classList.add("whole");
      this.block.focus();
      this.more.remove();
    });
    this.block.parentElement.before(this.more);
  }

  end(event) {
    const failed = event.exitCode !== 0;
    if (this.name === "generate_object") this.endObject(event.toolOutput);
    else if (!this.output && event.toolOutput) this.print(event.toolOutput);
    this.paint();
    let how = failed ? "failed" : "done";
    if (this.name === "bash") how = `exit ${event.exitCode}`;
    if (event.reason) how = event.reason === "timeout" ? "timed out" : "cancelled";
    this.set(failed ? "failed" : "done", `${how} · ${duration(event.durationMs)}`);
  }

  endObject(text) {
    const { object, error, violations = [] } = JSON.parse(text);
    if (error === undefined) {
      this.object ??= new GrowingObject(this.body);
      this.object.finish(object);
      copyButton(this.body, () => JSON.stringify(object, null, 2));
    } else this.say([error, ...violations.map((one) => `${one.path}: ${one.message}`)].join("\n"));
  }

  deny(event) {
    this.question?.remove();
    this.set("denied", "denied", true);
    this.say(event.reason);
    if (event.hint) this.say(`To allow it: ${event.hint}`);
  }

  reject(event) {
    this.set("denied", `rejected: ${event.reason.replace("_", " ")}`);
    this.say(event.error);
  }

  /** Mark a call without a `tool_end` as interrupted when its run is over. */
  over() {
    if (this.state !== "running" && this.state !== "asking") return;
    this.question?.remove();
    this.set("failed", "interrupted");
  }

  say(text) {
    add(this.body, "p", "", plain(text));
  }
}
