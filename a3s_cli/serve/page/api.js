// The server's API: requests, and the events of a session, which survive a lost connection.

import { listen } from "./news.js";

/** A request that the server refused, or did not answer (`lost`). */
export class Refusal extends Error {
  constructor(message, fields) {
    super(message);
    Object.assign(this, fields);
  }
}

async function request(path, options = {}) {
  const response = await fetch(path, options).catch(() => {
    throw new Refusal("a3s does not respond.", { lost: true, hint: "Is `a3s serve` running?" });
  });
  if (response.ok) return response;
  const { status } = response;
  const { error = {} } = await response.json().catch(() => ({}));
  if (status === 401) error.hint = "Open the address that `a3s serve` printed; it contains the token.";
  const message = error.message ?? `The server answered ${status}.`;
  throw new Refusal(message, { code: error.code, hint: error.hint, status });
}

function post(path, body, signal) {
  // A browser may resend the request on its own.
  const key = crypto.getRandomValues(new Uint32Array(4)).join();
  const headers = { "content-type": "application/json", "idempotency-key": key };
  return request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

const place = (session) => `/api/sessions/${encodeURIComponent(session)}`;

export const chat = (body, signal) => post("/api/chat?follow=0", body, signal);
export const cancel = (session) => post(`${place(session)}/cancel`, {});
export const steer = async (session, text) =>
  (await (await post(`${place(session)}/steer`, { text })).json()).steered;
export const answer = (session, tool, choice) =>
  post(`${place(session)}/permissions/${encodeURIComponent(tool)}`, { answer: choice });
export const remove = (session) => request(place(session), { method: "DELETE" });
export const list = async (name) => (await request(`/api/${name}`)).json();

async function* read(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("id: ")) id = line.slice(4);
        else if (line.startsWith("data: ")) yield [id, JSON.parse(line.slice(6))];
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Who follows a session: functions that get what the shared connection says.
const inboxes = new Set();
let connected = false;
let overheard = () => {};

/** Call `tell(session)` when something happens in a session. */
export function start(tell) {
  overheard = tell;
  listen((said) => {
    if (typeof said === "boolean") connected = said;
    for (const take of inboxes) take(said);
    if (Array.isArray(said)) for (const [id] of said) overheard(id.split("/")[0]);
  });
}

/** What the shared connection says from now on, to be awaited piece by piece. */
function inbox(signal) {
  const waiting = [];
  let wake = () => {};
  const take = (said) => {
    waiting.push(said);
    wake();
  };
  inboxes.add(take);
  signal.addEventListener("abort", () => wake());
  return {
    async next() {
      while (!waiting.length) {
        signal.throwIfAborted();
        await new Promise((resolve) => (wake = resolve));
      }
      return waiting.shift();
    },
    close: () => inboxes.delete(take),
  };
}

/**
 * Yield every event of a session, in order and once, however often the connection is lost.
 *
 * It starts after the event `last`, or with the first event, and ends with the newest run.
 * `lost(is)` reports the connection.
 */
export async function* follow(session, last, signal, lost) {
  const news = inbox(signal);
  const position = { run: "", seq: -1, over: false };
  if (last) [position.run, position.seq] = [last.split(":")[0], Number(last.split(":")[1])];

  /** Return whether an event is the next one; it throws where one is missing. */
  function isNext(id, seq) {
    const [owner] = id.split(":");
    if (owner === position.run && seq <= position.seq) return false; // a duplicate
    if (seq !== (owner === position.run ? position.seq + 1 : 0)) throw new Error("gap in seq");
    Object.assign(position, { run: owner, seq });
    return true;
  }

  let found = false;
  try {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const headers = position.run
          ? { "last-event-id": `${position.run}:${position.seq}` }
          : {};
        const response = await request(`${place(session)}/events?follow=0`, { headers, signal });
        if (response.status === 204) return;
        for await (const [id, event] of read(response)) {
          if (!isNext(id, event.seq)) continue;
          [attempt, found] = [0, true];
          position.over = event.type === "end" || event.type === "error";
          yield [id, event];
        }
        lost(false);
        if (position.over) return;
      } catch (error) {
        if (signal.aborted || (error instanceof Refusal && !error.lost)) throw error;
        // Do not wait for a server that was never there.
        if (!found && attempt > 3) throw error;
        lost(true);
        await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** attempt, 5000)));
        continue;
      }
      try {
        for (let said = await news.next(); said !== true; said = await news.next()) {
          if (said === false) lost(true);
          else {
            for (const [place, line] of said) {
              const at = place.indexOf("/");
              if (place.slice(0, at) !== session) continue;
              const [id, event] = [place.slice(at + 1), JSON.parse(line)];
              if (!event || !isNext(id, event.seq)) {
                if (event) continue;
                throw new Error("gap in seq");
              }
              position.over = event.type === "end" || event.type === "error";
              yield [id, event];
              if (position.over) return;
            }
          }
        }
      } catch (error) {
        if (signal.aborted) throw error;
        // Something is missing: the session has it.
      }
    }
  } finally {
    news.close();
  }
}
