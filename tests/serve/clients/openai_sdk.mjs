// The official SDK of Node. Reads a spec as JSON from stdin, prints what came of its request.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const spec = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: spec.baseURL, apiKey: spec.apiKey });
const said = { content: "", reasoning_content: "", chunks: 0 };

async function run() {
  if (spec.models) {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids };
  }
  const answer = await client.chat.completions.create(spec.request);
  if (!spec.request.stream) return { completion: answer };
  let finish = null, usage = null;
  for await (const chunk of answer) {
    said.chunks += 1;
    usage = chunk.usage ?? usage;
    const [choice] = chunk.choices;
    if (!choice) continue;
    finish = choice.finish_reason ?? finish;
    said.content += choice.delta.content ?? "";
    said.reasoning_content += choice.delta.reasoning_content ?? "";
    if (spec.abortAt && said.content.includes(spec.abortAt)) {
      answer.controller.abort();
      return { aborted: true };
    }
  }
  return { finish, usage };
}

const told = (error) => ({
  kind: error.constructor.name,
  status: error.status ?? null,
  code: error.code ?? null,
  message: error.message,
});
const result = await run().catch((error) => ({ error: told(error) }));
console.log(JSON.stringify({ ...said, ...result }));
