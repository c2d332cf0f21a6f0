// useChat, rendered without a browser. Reads a spec as JSON from stdin, does its steps one after
// the other, and prints what the hook shows at the end.
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { readFileSync, writeFileSync } from "node:fs";
import { createElement } from "react";
import { create } from "react-test-renderer";

const { url, token, id, messages: past, body, steps, leaves } = JSON.parse(readFileSync(0, "utf8"));
const headers = { authorization: `Bearer ${token}` };
const seen = { data: [], errors: [], finishes: [], toRun: [] };
let chat, wake = () => {};

function App() {
  chat = useChat({
    id,
    messages: past,
    transport: new DefaultChatTransport({ api: `${url}/api/ai-sdk`, headers, body }),
    onData: (part) => seen.data.push(structuredClone(part)),
    onError: (error) => seen.errors.push(error.message),
    onFinish: ({ isAbort, isDisconnect, isError, finishReason = null }) =>
      seen.finishes.push({ isAbort, isDisconnect, isError, finishReason }),
    onToolCall: ({ toolCall }) => seen.toRun.push(toolCall.toolName),
  });
  queueMicrotask(() => wake());
  return null;
}

const until = (holds) =>
  new Promise((resolve) => {
    wake = () => holds() && resolve();
    wake();
  });
const find = (holds) => chat.messages.flatMap((message) => message.parts).find(holds);
const over = () => chat.status === "ready" || chat.status === "error";

const does = {
  send: (text, options) => chat.sendMessage({ text }, options),
  // Send, and do not wait for the answer.
  begin: (text) => void chat.sendMessage({ text }),
  regenerate: () => chat.regenerate(),
  resume: () => chat.resumeStream(),
  "begin to resume": () => void chat.resumeStream(),
  stop: () => chat.stop(),
  streams: () => until(() => chat.status === "streaming"),
  over: () => until(over),
  // Wait until a command shows this output; the file lets it go on.
  prints: async (text, file) => {
    await until(() => find((part) => part.output?.toolOutput === text && part.preliminary));
    if (file) writeFileSync(file, "");
  },
  says: (text) => until(() => find((part) => part.text === text)),
  asks: (tool) => until(() => find((part) => part.data?.toolName === tool)),
  post: async (path, json) => {
    const options = { method: "POST", body: JSON.stringify(json) };
    const kind = { "content-type": "application/json" };
    const response = await fetch(url + path, { ...options, headers: { ...headers, ...kind } });
    if (!response.ok) throw new Error(await response.text());
  },
};

create(createElement(App));
await until(() => chat);
for (const [name, ...options] of steps) await does[name](...options);
if (!leaves) await until(over);
console.log(JSON.stringify({ status: chat.status, messages: chat.messages, ...seen }));
process.exit(0);
