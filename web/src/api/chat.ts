// One answer of /v1/chat/completions, streamed.

import { ApiError, errorMessage, send } from "./http.ts";
import { readEvents } from "./sse.ts";

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

export interface ChatRequest {
  model?: string;
  messages: ChatMessage[];
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  max_tokens?: number;
  seed?: number;
  reasoning_effort?: string;
  response_format?: unknown;
  tools?: unknown;
}

export interface Usage {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

export type AnswerEvent =
  | { kind: "reasoning" | "content"; text: string }
  | { kind: "call"; index: number; id: string; name: string; arguments: string }
  | { kind: "finish"; reason: string }
  | { kind: "usage"; usage: Usage };

interface Chunk {
  choices?: {
    delta?: {
      content?: string | null;
      reasoning_content?: string | null;
      reasoning?: string | null;
      tool_calls?: {
        index?: number;
        id?: string;
        function?: { name?: string; arguments?: string };
      }[];
    };
    finish_reason?: string | null;
  }[];
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number };
  } | null;
}

/** What one chunk of the stream says. */
export function* eventsOf(chunk: Chunk): Generator<AnswerEvent> {
  const choice = chunk.choices?.[0];
  const delta = choice?.delta;
  const reasoning = delta?.reasoning_content ?? delta?.reasoning;
  if (reasoning) yield { kind: "reasoning", text: reasoning };
  if (delta?.content) yield { kind: "content", text: delta.content };
  for (const call of delta?.tool_calls ?? []) {
    yield {
      kind: "call",
      index: call.index ?? 0,
      id: call.id ?? "",
      name: call.function?.name ?? "",
      arguments: call.function?.arguments ?? "",
    };
  }
  if (choice?.finish_reason) yield { kind: "finish", reason: choice.finish_reason };
  if (chunk.usage) {
    const usage = {
      promptTokens: chunk.usage.prompt_tokens ?? 0,
      cachedTokens: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: chunk.usage.completion_tokens ?? 0,
    };
    yield { kind: "usage", usage };
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new ApiError("The server sent something that is not JSON.", 0);
  }
}

export async function* streamAnswer(
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent> {
  const response = await send("v1/chat/completions", {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
  });
  if (!response.body) throw new ApiError("The server's answer is empty.", 0);
  let finished = false;
  try {
    for await (const { data } of readEvents(response.body)) {
      if (data === "[DONE]") return;
      const document = parsed(data);
      const failure = errorMessage(document);
      if (failure !== null) throw new ApiError(failure, 500);
      for (const event of eventsOf(document as Chunk)) {
        finished ||= event.kind === "finish";
        yield event;
      }
    }
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    throw new ApiError("The connection broke off.", 0);
  }
  if (!finished) throw new ApiError("The connection broke off.", 0);
}
