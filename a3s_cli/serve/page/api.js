// The server's API: requests, and a stream of events that survives its connection.

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

export const chat = (body, signal) => post("/api/chat", body, signal);
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

/**
 * Yield every event of a session, in order and once, however often the connection is lost.
 *
 * It starts with `response`, after the event `last`, or with the first event, and ends with
 * the newest run. `lost(is)` reports the connection.
 */
export async function* follow(session, response, last, signal, lost) {
  let [run, seq] = last ? last.split(":") : [];
  let over = false;
  let found = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const headers = last ? { "last-event-id": last } : {};
      response ??= await request(`${place(session)}/events`, { headers, signal });
      if (response.status === 204) return;
      lost(false);
      for await (const [id, event] of read(response)) {
        const [owner] = id.split(":");
        if (owner === run && event.seq <= seq) continue; // a duplicate
        if (event.seq !== (owner === run ? Number(seq) + 1 : 0)) throw new Error("gap in seq");
        [last, run, seq, attempt, found] = [id, owner, event.seq, 0, true];
        over = event.type === "end" || event.type === "error";
        yield [id, event];
      }
      if (over) return;
    } catch (error) {
      if (signal.aborted || (error instanceof Refusal && !error.lost)) throw error;
      // Do not wait for a server that was never there.
      if (!found && attempt > 3) throw error;
    }
    response = null;
    lost(true);
    await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** attempt, 5000)));
  }
}
