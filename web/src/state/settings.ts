// What the user chose: kept on this device. Sampling values are text as typed; empty means "as the model's file
// or the server says", and nothing is sent then.

import { effect, signal } from "@preact/signals";
import type { ChatRequest } from "../api/chat.ts";

export interface Settings {
  theme: "system" | "light" | "dark";
  panelIsOpen: boolean;
  sidebarIsOpen: boolean;
  model: string; // empty: the server's first
  system: string;
  temperature: string;
  topP: string;
  topK: string;
  minP: string;
  maxTokens: string;
  seed: string;
  reasoningEffort: "" | "none" | "low" | "medium" | "high";
  schema: string; // JSON Schema of the answer
}

export const defaults: Settings = {
  theme: "system",
  panelIsOpen: true,
  sidebarIsOpen: true,
  model: "",
  system: "",
  temperature: "",
  topP: "",
  topK: "",
  minP: "",
  maxTokens: "",
  seed: "",
  reasoningEffort: "",
  schema: "",
};

const name = "cistern.settings";

/** Stored settings, of which only what still has its type counts. */
export function readSettings(json: string | null): Settings {
  let stored: Record<string, unknown>;
  try {
    stored = (JSON.parse(json ?? "{}") ?? {}) as Record<string, unknown>;
  } catch {
    stored = {};
  }
  const known = Object.entries(defaults).map(([key, value]) => [
    key,
    typeof stored[key] === typeof value ? stored[key] : value,
  ]);
  return Object.fromEntries(known) as Settings;
}

const item = () => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is off
  }
};

export const settings = signal(readSettings(item()));

effect(() => {
  try {
    localStorage.setItem(name, JSON.stringify(settings.value));
  } catch {
    // They last until the page is left.
  }
});

export function change(changes: Partial<Settings>): void {
  settings.value = { ...settings.value, ...changes };
}

export interface NumberField {
  key: "temperature" | "topP" | "topK" | "minP" | "maxTokens" | "seed";
  sent: "temperature" | "top_p" | "top_k" | "min_p" | "max_tokens" | "seed";
  label: string;
  unset: string; // what holds while it is empty
  hint: string;
  least: number;
  most: number;
  isWhole: boolean;
}

export const numberFields: NumberField[] = [
  {
    key: "temperature",
    sent: "temperature",
    label: "Temperature",
    unset: "model's own",
    hint: "0 always takes the likeliest token",
    least: 0,
    most: 2,
    isWhole: false,
  },
  {
    key: "topP",
    sent: "top_p",
    label: "Top-p",
    unset: "model's own",
    hint: "the likeliest tokens up to this share",
    least: 0,
    most: 1,
    isWhole: false,
  },
  {
    key: "topK",
    sent: "top_k",
    label: "Top-k",
    unset: "model's own",
    hint: "at most so many tokens; 0 is all",
    least: 0,
    most: 1_000_000,
    isWhole: true,
  },
  {
    key: "minP",
    sent: "min_p",
    label: "Min-p",
    unset: "model's own",
    hint: "tokens this likely beside the best",
    least: 0,
    most: 1,
    isWhole: false,
  },
  {
    key: "maxTokens",
    sent: "max_tokens",
    label: "Most tokens",
    unset: "no limit",
    hint: "of an answer",
    least: 1,
    most: 10_000_000,
    isWhole: true,
  },
  {
    key: "seed",
    sent: "seed",
    label: "Seed",
    unset: "random",
    hint: "the same seed, the same answer",
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    isWhole: true,
  },
];

/** What is wrong with a value as typed, or null. */
export function complaint(field: NumberField, typed: string): string | null {
  if (typed.trim() === "") return null;
  const value = Number(typed);
  if (!Number.isFinite(value)) return "not a number";
  if (field.isWhole && !Number.isInteger(value)) return "a whole number, please";
  if (value < field.least || value > field.most)
    return `between ${field.least} and ${field.most.toLocaleString("en")}`;
  return null;
}

/** What is wrong with a schema as typed, or null. */
export function schemaComplaint(typed: string): string | null {
  if (typed.trim() === "") return null;
  try {
    const schema: unknown = JSON.parse(typed);
    return typeof schema === "object" && schema !== null ? null : "a schema is a JSON object";
  } catch {
    return "not JSON yet";
  }
}

/** The part of a request that follows from the settings. Values that are wrong are not sent. */
export function requestSettings(chosen: Settings): Omit<ChatRequest, "messages" | "model"> {
  const request: Omit<ChatRequest, "messages" | "model"> = {};
  for (const field of numberFields) {
    const typed = chosen[field.key];
    if (typed.trim() !== "" && complaint(field, typed) === null)
      request[field.sent] = Number(typed);
  }
  if (chosen.reasoningEffort !== "") request.reasoning_effort = chosen.reasoningEffort;
  if (chosen.schema.trim() !== "" && schemaComplaint(chosen.schema) === null) {
    const schema: unknown = JSON.parse(chosen.schema);
    request.response_format = {
      type: "json_schema",
      json_schema: { name: "answer", strict: true, schema },
    };
  }
  return request;
}
