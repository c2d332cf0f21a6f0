// The official SDK for Node. Reads a spec as JSON from stdin, makes its requests one after the
// other, and prints what came of each.
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { inPieces } from "./pieces.mjs";

const { url, token, requests, answer } = JSON.parse(readFileSync(0, "utf8"));
// With an answer there is no question.
const fetch = answer && (async () => inPieces(answer));
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, ...(fetch && { fetch }) });

async function streamed(request, leavesAt) {
  const said = { content: "", reasoning_content: "" };
  let finish = null, usage = null;
  const stream = await client.chat.completions.create(request);
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    for (const { delta, finish_reason } of chunk.choices) {
      finish = finish_reason ?? finish;
      for (const name in said) said[name] += delta[name] ?? "";
    }
    if (leavesAt && said.content.includes(leavesAt)) break;
  }
  return { ...said, finish, usage };
}

async function made({ models, leavesAt, ...request }) {
  if (models) return { models: (await client.models.list()).data.map((one) => one.id) };
  if (request.stream) return streamed(request, leavesAt);
  const { choices, usage } = await client.chat.completions.create(request);
  return { choices, usage };
}

const failed = ({ constructor, status = null, code = null, error }) => ({
  error: { kind: constructor.name, status, code, message: error?.message },
});
const told = [];
for (const request of requests) told.push(await made(request).catch(failed));
console.log(JSON.stringify(told));
