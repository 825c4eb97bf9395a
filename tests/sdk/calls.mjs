// Every kind of call of the JavaScript SDKs. Usage: node calls.mjs URL; run starts the server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";

const url = process.argv[2];
const messages = [{ role: "user", content: "What is the KV cache?" }];
const answer = "The KV cache holds the keys and values";
const schema = {
  type: "object",
  properties: { n: { type: "integer", enum: [3, 4] } },
  required: ["n"],
  additionalProperties: false,
};
const city = {
  type: "object",
  properties: { city: { type: "string", enum: ["Rome", "Oslo"] } },
  required: ["city"],
  additionalProperties: false,
};

async function collected(stream, piece) {
  let text = "";
  for await (const event of stream) text += piece(event) ?? "";
  return text;
}

async function* checkOpenai() {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
  const asked = { model: "guide", messages, temperature: 0 };
  const chat = await client.chat.completions.create(asked);
  const text = chat.choices[0].message.content;
  assert.ok(text.startsWith(answer));
  yield "chat";

  const stream = await client.chat.completions.create({ ...asked, stream: true });
  assert.equal(await collected(stream, (chunk) => chunk.choices[0]?.delta.content), text);
  yield "chat stream";

  const tools = [{ type: "function", function: { name: "weather", parameters: city } }];
  const called = await client.chat.completions.create({
    ...asked,
    tools,
    tool_choice: "required",
    parallel_tool_calls: false,
  });
  const call = called.choices[0].message.tool_calls[0].function;
  assert.equal(call.name, "weather");
  assert.ok(["Rome", "Oslo"].includes(JSON.parse(call.arguments).city));
  yield "tools";

  const shaped = await client.chat.completions.create({
    ...asked,
    response_format: { type: "json_schema", json_schema: { name: "n", strict: true, schema } },
  });
  assert.ok([3, 4].includes(JSON.parse(shaped.choices[0].message.content).n));
  yield "json_schema";

  const completion = await client.completions.create({ model: "guide", prompt: "The KV cache", max_tokens: 5 });
  assert.ok(completion.choices[0].text);
  yield "completions";

  const response = await client.responses.create({ model: "guide", input: messages[0].content, temperature: 0 });
  assert.ok(response.output_text.startsWith(answer));
  yield "responses";

  const events = await client.responses.create({
    model: "guide",
    input: messages[0].content,
    temperature: 0,
    stream: true,
  });
  const deltas = await collected(events, (e) => (e.type === "response.output_text.delta" ? e.delta : ""));
  assert.equal(deltas, response.output_text);
  yield "responses stream";

  const vectors = await client.embeddings.create({ model: "embedder", input: ["a cat", "a dog"] });
  assert.equal(vectors.data.length, 2);
  const length = vectors.data[0].embedding.reduce((sum, x) => sum + x * x, 0);
  assert.ok(Math.abs(length - 1) < 1e-3);
  yield "embeddings";

  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("guide"));
  yield "models";

  await assert.rejects(client.chat.completions.create({ ...asked, model: "nope" }), OpenAI.NotFoundError);
  yield "errors";
}

async function* checkAnthropic() {
  const client = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
  const asked = { model: "guide", max_tokens: 200, messages };
  const message = await client.messages.create(asked);
  assert.ok(message.content[0].text.startsWith(answer));
  yield "messages";

  const streamed = await client.messages.stream(asked).finalMessage();
  assert.equal(streamed.content[0].text, message.content[0].text);
  yield "messages stream";

  const called = await client.messages.create({
    ...asked,
    tools: [{ name: "weather", input_schema: city }],
    tool_choice: { type: "any" },
  });
  assert.equal(called.stop_reason, "tool_use");
  yield "tools";

  const counted = await client.messages.countTokens({ model: "guide", messages });
  assert.ok(counted.input_tokens > 5);
  yield "count_tokens";

  const models = await client.models.list();
  assert.ok(models.data.some((model) => model.id === "guide"));
  yield "models";

  await assert.rejects(client.messages.create({ ...asked, model: "nope" }), Anthropic.NotFoundError);
  yield "errors";
}

async function* checkOllama() {
  const client = new Ollama({ host: url });
  const asked = { model: "guide", messages, options: { temperature: 0 } };
  const chat = await client.chat(asked);
  assert.ok(chat.message.content.startsWith(answer));
  yield "chat";

  const stream = await client.chat({ ...asked, stream: true });
  assert.equal(await collected(stream, (piece) => piece.message.content), chat.message.content);
  yield "chat stream";

  const shaped = await client.chat({ ...asked, format: schema });
  assert.ok([3, 4].includes(JSON.parse(shaped.message.content).n));
  yield "format";

  const generated = await client.generate({
    model: "guide",
    prompt: messages[0].content,
    options: { temperature: 0 },
  });
  assert.ok(generated.response.startsWith(answer));
  yield "generate";

  const vectors = await client.embed({ model: "embedder", input: ["a cat", "a dog"] });
  assert.equal(vectors.embeddings.length, 2);
  yield "embed";

  assert.ok((await client.show({ model: "guide" })).model_info);
  yield "show";

  assert.ok((await client.list()).models.some((model) => model.model.startsWith("guide")));
  yield "list";
}

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const checks = { openai: checkOpenai, "@anthropic-ai/sdk": checkAnthropic, ollama: checkOllama };
for (const [name, check] of Object.entries(checks)) {
  const done = [];
  for await (const what of check()) done.push(what);
  console.log(`JavaScript ${name} ${versionOf(name)}: ${done.join(", ")}`);
}
