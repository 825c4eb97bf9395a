// Requests to the server that the page came from, and to no other. What went wrong becomes an ApiError.

import { apiKey } from "../state/api_key.ts";

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number, // of HTTP; 0: no answer, or it broke off
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** The message of an error document in the form of OpenAI's API, or null. */
export function errorMessage(document: unknown): string | null {
  const error = (document as { error?: unknown } | null)?.error;
  if (typeof error === "string") return error;
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === "string" ? message : null;
}

const explanations: Record<number, string> = {
  401: "The server asks for an API key.",
  403: "The server refuses this page.",
  404: "The server does not know this address.",
  413: "The request is too large for the server.",
  429: "The server has no place in its queue.",
};

async function refusal(response: Response): Promise<ApiError> {
  const document: unknown = await response.json().catch(() => null);
  const message =
    errorMessage(document) ??
    explanations[response.status] ??
    `The server answered ${response.status}.`;
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new ApiError(message, response.status, Number.isNaN(retryAfter) ? null : retryAfter);
}

/** Sends a request to `path`, which is relative to the page. A status of 400 or more is an ApiError. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (apiKey.value !== "") headers.set("Authorization", `Bearer ${apiKey.value}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: "no-store", redirect: "error" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError("The server does not answer. Is it still running?", 0);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}
