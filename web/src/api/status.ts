// Where the server stands: /api/cistern/status. docs/page.md describes the document. What a server does not
// know it leaves out, so everything but the name of a model may be absent.

import { send } from "./http.ts";

export interface Interval {
  low: number;
  mid: number;
  high: number;
}

export interface PlanBytes {
  weights: number;
  kv: number;
  buffers: number;
  overhead: number;
  total: number;
}

export interface ModelStatus {
  id: string;
  loaded?: boolean;
  plan?: {
    verdict?: "fits" | "streams" | "refused";
    bytes?: PlanBytes;
    budget_bytes?: number;
    tiers?: { name: string; bytes: number }[];
    context_tokens?: number;
  };
  forecast?: { decode_tok_s?: Interval; prefill_tok_s?: Interval; limit_tok_s?: number };
  running?: number;
  queued?: number;
  max_running?: number;
  kv_pages?: { all: number; used: number; cached: number; page_tokens: number };
  recent?: { decode_tok_s?: number | null; prefill_tok_s?: number | null };
  totals?: {
    prompt_tokens: number;
    reused_tokens: number;
    generated_tokens: number;
    requests: number;
  };
}

export interface ServerStatus {
  version?: string;
  uptime_s?: number;
  models?: ModelStatus[];
}

export async function fetchStatus(): Promise<ServerStatus> {
  const response = await send("api/cistern/status");
  return (await response.json()) as ServerStatus;
}
