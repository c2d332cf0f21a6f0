// useChat, rendered without a browser. Reads a spec as JSON from stdin, does its steps one after
// the other, and prints what the hook shows at the end.
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { createElement } from "react";
import { create } from "react-test-renderer";
import { readFileSync, writeFileSync } from "node:fs";

const spec = JSON.parse(readFileSync(0, "utf8"));
const data = [], errors = [], finishes = [], calls = [];
let chat, wake = () => {};

function App() {
  chat = useChat({
    id: spec.id,
    messages: spec.messages,
    transport: new DefaultChatTransport({ api: spec.api, headers: spec.headers, body: spec.body }),
    onData: (part) => data.push(part),
    onError: (error) => errors.push(error.message),
    onFinish: ({ isAbort, isDisconnect, isError, finishReason }) =>
      finishes.push({ isAbort, isDisconnect, isError, finishReason }),
    onToolCall: ({ toolCall }) => calls.push(toolCall.toolName),
  });
  queueMicrotask(() => wake());
  return null;
}

const until = (holds) =>
  new Promise((resolve) => {
    wake = () => holds() && resolve();
    wake();
  });
const parts = () => chat.messages.flatMap((message) => message.parts);

const steps = {
  send: ([text, options]) => chat.sendMessage({ text }, options),
  // Begun, and not waited for.
  begin: ([text]) => void chat.sendMessage({ text }),
  regenerate: () => chat.regenerate(),
  resume: () => chat.resumeStream(),
  stop: () => chat.stop(),
  // Wait until a part of this kind shows this text, then let the command go on.
  seen: async ([text, file]) => {
    const shows = (part) => part.text?.includes(text) || part.output?.toolOutput?.includes(text);
    await until(() => parts().some(shows));
    if (file) writeFileSync(file, "");
    return { preliminary: parts().find(shows).preliminary ?? null };
  },
  idle: () => until(() => chat.status === "ready" || chat.status === "error"),
};

create(createElement(App));
await until(() => chat);
const results = [];
for (const [name, ...options] of spec.steps) results.push((await steps[name](options)) ?? null);
await until(() => spec.stays || chat.status === "ready" || chat.status === "error");

const { status, messages } = chat;
console.log(JSON.stringify({ status, messages, data, errors, finishes, calls, results }));
process.exit(0);
