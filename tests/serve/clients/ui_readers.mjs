// The AI SDK's own readers, in every version whose protocol this is. Reads streams by name as JSON
// from stdin, prints the message that each version makes of each, and the errors that it reports.
import { readFileSync } from "node:fs";
import { inPieces } from "./pieces.mjs";

const streams = Object.entries(JSON.parse(readFileSync(0, "utf8")));

async function read({ DefaultChatTransport, readUIMessageStream }, text) {
  const fetch = async () => inPieces(text);
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
  for (const [name, text] of streams) told[version][name] = await read(sdk, text);
}
console.log(JSON.stringify(told));
