// A conversation as data, and what changes it. Values are never changed in place: each function returns a new
// one, so that whatever did not change stays the same object and is not drawn again.

import type { ChatMessage } from "../api/chat.ts";

export interface Attachment {
  name: string;
  text: string;
}

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

/** What an answer cost. Times in seconds, measured here. */
export interface AnswerStats {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  firstTokenS: number;
  tokS: number | null; // null: too short to say
}

export type AnswerEnd = "stop" | "length" | "tool_calls" | "stopped" | "error";

export interface Message {
  id: string;
  role: "user" | "assistant";
  content: string;
  attachments?: Attachment[];
  reasoning?: string;
  reasoningS?: number; // how long it took
  calls?: ToolCall[];
  model?: string;
  end?: AnswerEnd; // absent: it is being written, or the page was left while it was
  error?: string;
  stats?: AnswerStats;
}

export interface Conversation {
  id: string;
  title: string;
  titleIsGiven?: boolean; // by the user
  created: number; // milliseconds since 1970
  updated: number;
  messages: Message[];
}

export const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

export function newConversation(now: number): Conversation {
  return { id: newId(), title: "New chat", created: now, updated: now, messages: [] };
}

/** A title from what was asked first. */
export function titleFrom(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  if (line.length <= 60) return line || "New chat";
  const cut = line.slice(0, 60);
  const space = cut.lastIndexOf(" ");
  return `${space > 30 ? cut.slice(0, space) : cut}…`;
}

export function withMessage(
  conversation: Conversation,
  message: Message,
  now: number,
): Conversation {
  const messages = [...conversation.messages, message];
  const isFirst = conversation.messages.length === 0 && !conversation.titleIsGiven;
  const title = isFirst
    ? titleFrom(message.content || message.attachments?.[0]?.name || "")
    : conversation.title;
  return { ...conversation, title, messages, updated: now };
}

/** `id` is replaced by what `change` makes of it. */
export function withChanged(
  conversation: Conversation,
  id: string,
  change: (message: Message) => Message,
): Conversation {
  const messages = conversation.messages.map((m) => (m.id === id ? change(m) : m));
  return { ...conversation, messages };
}

/** What came before the message `id`. */
export function before(conversation: Conversation, id: string): Conversation {
  const at = conversation.messages.findIndex((m) => m.id === id);
  return at < 0 ? conversation : { ...conversation, messages: conversation.messages.slice(0, at) };
}

/** A fence for code blocks that `text` cannot end. */
function fenceFor(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), (run) => run[0].length));
  return "`".repeat(longest + 1);
}

/** The text of a user's message with its files before it, as the model reads it. */
export function promptText(message: Message): string {
  const files = (message.attachments ?? []).map(({ name, text }) => {
    const fence = fenceFor(text);
    return `File: ${name}\n${fence}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`;
  });
  return [...files, message.content].filter((part) => part !== "").join("\n\n");
}

/** The messages to send. Chat templates want the roles in turn, so answers that failed with nothing said are
 * left out and what the user said around them becomes one message. */
export function toRequest(system: string, messages: Message[]): ChatMessage[] {
  const sent: ChatMessage[] = [];
  if (system.trim() !== "") sent.push({ role: "system", content: system });
  for (const message of messages) {
    const last = sent.at(-1);
    if (message.role === "user") {
      const content = promptText(message);
      if (last?.role === "user") last.content += `\n\n${content}`;
      else sent.push({ role: "user", content });
    } else if (message.content !== "") {
      sent.push({ role: "assistant", content: message.content });
    }
  }
  return sent;
}
