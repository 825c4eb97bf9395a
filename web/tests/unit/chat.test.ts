import { describe, expect, test } from "vitest";
import { eventsOf } from "../../src/api/chat.ts";
import { errorMessage } from "../../src/api/http.ts";
import { bytes, figure, seconds } from "../../src/ui/format.ts";

describe("a chunk of an answer", () => {
  test("says what was thought, said and called", () => {
    const delta = {
      reasoning_content: "Hm",
      content: "Yes",
      tool_calls: [{ index: 1, function: { arguments: "{" } }],
    };
    expect([...eventsOf({ choices: [{ delta, finish_reason: "length" }] })]).toEqual([
      { kind: "reasoning", text: "Hm" },
      { kind: "content", text: "Yes" },
      { kind: "call", index: 1, id: "", name: "", arguments: "{" },
      { kind: "finish", reason: "length" },
    ]);
  });

  test("may say nothing", () => {
    expect([...eventsOf({})]).toEqual([]);
    expect([...eventsOf({ choices: [], usage: null })]).toEqual([]);
    expect([...eventsOf({ choices: [{ delta: { content: null } }] })]).toEqual([]);
  });

  test("may count", () => {
    const usage = {
      prompt_tokens: 3,
      completion_tokens: 2,
      prompt_tokens_details: { cached_tokens: 1 },
    };
    expect([...eventsOf({ choices: [], usage })]).toEqual([
      { kind: "usage", usage: { promptTokens: 3, cachedTokens: 1, completionTokens: 2 } },
    ]);
  });
});

test("an error document has a message, in either form", () => {
  expect(errorMessage({ error: { message: "no" } })).toBe("no");
  expect(errorMessage({ error: "no" })).toBe("no");
  for (const other of [null, {}, { error: 1 }, [], "x"]) expect(errorMessage(other)).toBeNull();
});

test("figures read well", () => {
  expect([0, 999, 1000, 999_499, 4_090_000_000, 123e9].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "999 kB",
    "4.1 GB",
    "123 GB",
  ]);
  expect([0.123, 14.23, 138.4, 12_345].map(figure)).toEqual(["0.12", "14.2", "138", "12,345"]);
  expect([0.314, 3.14, 31.4, 314, 5400, 400_000].map(seconds)).toEqual([
    "0.31 s",
    "3.1 s",
    "31 s",
    "5 min 14 s",
    "1 h 30 min",
    "4 days",
  ]);
});
