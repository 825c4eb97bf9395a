// Answers that are being written: one per conversation at most. Asks, streams what comes into the conversation,
// measures it, and ends on the user's word.

import { signal } from "@preact/signals";
import { streamAnswer, type AnswerEvent, type Usage } from "../api/chat.ts";
import { ApiError } from "../api/http.ts";
import { keyIsMissing } from "./api_key.ts";
import {
  before,
  newId,
  toRequest,
  withChanged,
  withMessage,
  type AnswerEnd,
  type Attachment,
  type Message,
  type ToolCall,
} from "./conversation.ts";
import { conversations, flush, put } from "./conversations.ts";
import { chosenModel, refreshModels, refreshStatus } from "./server.ts";
import { requestSettings, settings } from "./settings.ts";

/** Tokens per second of the answer at hand, by conversation; null while there is too little to say. */
export const running = signal<ReadonlyMap<string, number | null>>(new Map());

const controllers = new Map<string, AbortController>();
const drawEveryMs = 40;

/** The answer at hand and its times. */
class Draft {
  private readonly asked = performance.now();
  private first = 0;
  private last = 0;
  private reasoningEnd = 0;
  private pieces = 0;
  private finish: AnswerEnd = "stop";
  private usage: Usage | null = null;
  private content = "";
  private reasoning = "";
  private readonly calls: ToolCall[] = [];

  take(event: AnswerEvent): void {
    if (event.kind === "usage") this.usage = event.usage;
    else if (event.kind === "finish") this.finish = endOf(event.reason);
    else this.takeToken(event);
  }

  private takeToken(event: AnswerEvent): void {
    this.last = performance.now();
    this.first ||= this.last;
    this.pieces++;
    if (event.kind !== "reasoning") this.reasoningEnd ||= this.last;
    if (event.kind === "reasoning") {
      this.reasoning += event.text;
    } else if (event.kind === "content") {
      this.content += event.text;
    } else if (event.kind === "call") {
      const call = (this.calls[event.index] ??= { id: "", name: "", arguments: "" });
      call.id ||= event.id;
      call.name ||= event.name;
      call.arguments += event.arguments;
    }
  }

  /** Per second, after the first token. */
  speed(tokens = this.pieces): number | null {
    const seconds = (this.last - this.first) / 1000;
    return tokens >= 4 && seconds > 0.05 ? (tokens - 1) / seconds : null;
  }

  onto(message: Message): Message {
    const next: Message = { ...message, content: this.content };
    if (this.reasoning !== "") {
      next.reasoning = this.reasoning;
      next.reasoningS = ((this.reasoningEnd || this.last) - this.first) / 1000;
    }
    const calls = this.calls.filter(Boolean).map((call) => ({ ...call }));
    if (calls.length > 0) next.calls = calls;
    return next;
  }

  ended(message: Message, end: AnswerEnd | null): Message {
    const next: Message = { ...this.onto(message), end: end ?? this.finish };
    if (this.first > 0) {
      next.stats = {
        promptTokens: this.usage?.promptTokens ?? 0,
        cachedTokens: this.usage?.cachedTokens ?? 0,
        completionTokens: this.usage?.completionTokens ?? this.pieces,
        firstTokenS: (this.first - this.asked) / 1000,
        tokS: this.speed(this.usage?.completionTokens),
      };
    }
    return next;
  }
}

function endOf(reason: string): AnswerEnd {
  return reason === "length" || reason === "tool_calls" ? reason : "stop";
}

function setRunning(id: string, speed: number | null | undefined): void {
  const next = new Map(running.value);
  if (speed === undefined) next.delete(id);
  else next.set(id, speed);
  running.value = next;
}

/** Changes the answer where it still is: its conversation may have been deleted meanwhile. */
function update(conversationId: string, messageId: string, change: (m: Message) => Message): void {
  const conversation = conversations.value.get(conversationId);
  if (conversation) put(withChanged(conversation, messageId, change));
}

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const wait = error.retryAfter;
  return wait === null ? error.message : `${error.message} Try again in ${wait} s.`;
}

async function stream(conversationId: string, messageId: string, model: string): Promise<void> {
  const conversation = conversations.value.get(conversationId);
  if (!conversation) return;
  const controller = new AbortController();
  controllers.set(conversationId, controller);
  setRunning(conversationId, null);
  const draft = new Draft();
  const draw = () => {
    update(conversationId, messageId, (m) => draft.onto(m));
    setRunning(conversationId, draft.speed());
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end: AnswerEnd | null = null;
  let error: string | undefined;
  try {
    const request = {
      ...requestSettings(settings.value),
      ...(model === "" ? {} : { model }),
      messages: toRequest(settings.value.system, before(conversation, messageId).messages),
    };
    for await (const event of streamAnswer(request, controller.signal)) {
      draft.take(event);
      timer ??= setTimeout(() => ((timer = undefined), draw()), drawEveryMs);
    }
  } catch (thrown) {
    end = controller.signal.aborted ? "stopped" : "error";
    if (end === "error") error = explain(thrown);
    if (thrown instanceof ApiError && thrown.status === 401) keyIsMissing.value = true;
  }
  clearTimeout(timer);
  controllers.delete(conversationId);
  update(conversationId, messageId, (m) => ({
    ...draft.ended(m, end),
    ...(error ? { error } : {}),
  }));
  setRunning(conversationId, undefined);
  void flush();
  void refreshStatus();
  if (error) void refreshModels();
}

function answer(conversationId: string): void {
  const conversation = conversations.value.get(conversationId);
  if (!conversation || controllers.has(conversationId)) return;
  const model = chosenModel.value;
  const message: Message = { id: newId(), role: "assistant", content: "", model };
  put(withMessage(conversation, message, Date.now()));
  void stream(conversationId, message.id, model);
}

/** Says something in a conversation and has it answered. */
export function ask(conversationId: string, content: string, attachments: Attachment[]): void {
  const conversation = conversations.value.get(conversationId);
  if (!conversation || controllers.has(conversationId)) return;
  const message: Message = { id: newId(), role: "user", content };
  if (attachments.length > 0) message.attachments = attachments;
  put(withMessage(conversation, message, Date.now()));
  answer(conversationId);
}

/** Says `content` instead of the message `id`; what followed it is gone. */
export function edit(conversationId: string, id: string, content: string): void {
  const conversation = conversations.value.get(conversationId);
  const message = conversation?.messages.find((m) => m.id === id);
  if (!conversation || !message || controllers.has(conversationId)) return;
  put(before(conversation, id));
  ask(conversationId, content, message.attachments ?? []);
}

/** Writes the answer `id` anew; what followed it is gone. */
export function regenerate(conversationId: string, id: string): void {
  const conversation = conversations.value.get(conversationId);
  if (!conversation || controllers.has(conversationId)) return;
  put(before(conversation, id));
  answer(conversationId);
}

export function stop(conversationId: string): void {
  controllers.get(conversationId)?.abort();
}
