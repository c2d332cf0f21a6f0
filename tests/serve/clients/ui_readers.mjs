// The AI SDK's own readers, in every version whose protocol this is. Reads streams by name as JSON
// from stdin, prints the message that each version makes of each, and the errors that it reports.
import { readFileSync } from "node:fs";

const streams = Object.entries(JSON.parse(readFileSync(0, "utf8")));
const headers = { "content-type": "text/event-stream" };

async function read({ DefaultChatTransport, readUIMessageStream }, bytes) {
  const fetch = async () => new Response(bytes, { headers });
  const transport = new DefaultChatTransport({ api: "http://localhost/", fetch });
  const request = { chatId: "c", messages: [], trigger: "submit-message" };
  const stream = await transport.sendMessages(request);
  const errors = [];
  let message = null;
  const onError = (error) => errors.push(error.message);
  for await (message of readUIMessageStream({ stream, onError }));
  return { parts: message?.parts ?? [], errors };
}

const told = {};
for (const version of ["ai5", "ai6", "ai"]) {
  const sdk = await import(version);
  told[version] = {};
  for (const [name, bytes] of streams) told[version][name] = await read(sdk, bytes);
}
console.log(JSON.stringify(told));
