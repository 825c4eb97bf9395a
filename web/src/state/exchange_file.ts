// Conversations as a JSON file, out of this browser and into another. What comes in is not trusted: every field
// is checked, unknown ones are dropped.

import { newId, type Conversation, type Message } from "./conversation.ts";

const format = "cistern-conversations";
const version = 1;
export const largestFileBytes = 64 * 1024 * 1024;

export function exported(conversations: Conversation[]): string {
  return `${JSON.stringify({ format, version, conversations }, null, 1)}\n`;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const amount = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

const ends = ["stop", "length", "tool_calls", "stopped", "error"] as const;

function readMessage(value: Fields, where: string): Message {
  if (value.role !== "user" && value.role !== "assistant")
    throw new Error(`${where}.role is neither "user" nor "assistant".`);
  if (typeof value.content !== "string") throw new Error(`${where}.content is not text.`);
  const message: Message = { id: newId(), role: value.role, content: value.content };
  const attachments = list(value.attachments).map((a) => ({
    name: text(a.name),
    text: text(a.text),
  }));
  if (attachments.length > 0) message.attachments = attachments;
  const calls = list(value.calls).map((c) => ({
    id: text(c.id),
    name: text(c.name),
    arguments: text(c.arguments),
  }));
  if (calls.length > 0) message.calls = calls;
  for (const name of ["reasoning", "model", "error"] as const)
    if (typeof value[name] === "string") message[name] = value[name];
  const end = ends.find((known) => known === value.end);
  if (end) message.end = end;
  if (isFields(value.stats)) {
    const { promptTokens, cachedTokens, completionTokens, firstTokenS, tokS } = value.stats;
    message.stats = {
      promptTokens: amount(promptTokens),
      cachedTokens: amount(cachedTokens),
      completionTokens: amount(completionTokens),
      firstTokenS: amount(firstTokenS),
      tokS: typeof tokS === "number" ? amount(tokS) : null,
    };
  }
  return message;
}

/** The conversations of a file; each gets an id of its own. Throws an Error that says what is wrong. */
export function imported(json: string): Conversation[] {
  let file: unknown;
  try {
    file = JSON.parse(json);
  } catch {
    throw new Error("The file is not JSON.");
  }
  if (!isFields(file) || file.format !== format)
    throw new Error("The file does not hold conversations of Cistern.");
  if (file.version !== version) throw new Error("The file was written by a newer Cistern.");
  return list(file.conversations).map((value, i) => ({
    id: newId(),
    title: text(value.title).slice(0, 200) || "New chat",
    titleIsGiven: true,
    created: amount(value.created),
    updated: amount(value.updated),
    messages: list(value.messages).map((m, j) =>
      readMessage(m, `conversations[${i}].messages[${j}]`),
    ),
  }));
}
