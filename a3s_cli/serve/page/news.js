// The one connection that brings events, for all tabs of the browser.
//
// A browser opens six connections to a server at most: a stream for each tab would leave none
// for a button. This file is the worker that the tabs share; where there is no such worker,
// each tab runs the same connection by itself.

/** Read the frames of an event stream; `take` gets those of one network read, as [id, data]. */
async function frames(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let id = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    const found = [];
    for (const line of lines) {
      if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("data: ")) found.push([id, line.slice(6)]);
    }
    if (found.length) take(found);
  }
}

/** Stay connected for ever; `tell` gets `true` (connected), `false` (lost) or frames. */
async function connect(tell) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch("/api/news");
      if (response.ok) {
        attempt = 0;
        tell(true);
        await frames(response, tell);
      }
    } catch {
      // The next attempt may find the server again.
    }
    tell(false);
    await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** attempt, 5000)));
  }
}

/** Begin to listen; `tell` is called as above. */
export function listen(tell) {
  if (!globalThis.SharedWorker) return void connect(tell);
  const { port } = new SharedWorker(import.meta.url, { type: "module" });
  port.onmessage = ({ data }) => tell(data);
  addEventListener("pagehide", () => port.postMessage("bye"));
  addEventListener("pageshow", () => port.postMessage("hello"));
}

if (globalThis.SharedWorkerGlobalScope && self instanceof SharedWorkerGlobalScope) {
  const ports = new Set();
  let connected = false;
  self.onconnect = ({ ports: [port] }) => {
    const join = () => {
      ports.add(port);
      port.postMessage(connected);
    };
    port.onmessage = ({ data }) => (data === "bye" ? ports.delete(port) : join());
    join();
  };
  connect((said) => {
    if (typeof said === "boolean") connected = said;
    for (const port of ports) port.postMessage(said);
  });
}
