import { describe, expect, test } from "vitest";
import {
  complaint,
  defaults,
  numberFields,
  readSettings,
  requestSettings,
  schemaComplaint,
} from "../../src/state/settings.ts";

const field = (key: string) => numberFields.find((f) => f.key === key)!;

describe("settings", () => {
  test("nothing is sent of what was not set", () => {
    expect(requestSettings(defaults)).toEqual({});
  });

  test("what was set is sent by the names of the protocol", () => {
    const chosen = { ...defaults, temperature: "0.7", topK: "40", maxTokens: "128", seed: "0" };
    expect(requestSettings(chosen)).toEqual({
      temperature: 0.7,
      top_k: 40,
      max_tokens: 128,
      seed: 0,
    });
  });

  test("what is wrong is said and not sent", () => {
    expect(complaint(field("temperature"), "warm")).toBe("not a number");
    expect(complaint(field("topP"), "1.5")).toBe("between 0 and 1");
    expect(complaint(field("topK"), "1.5")).toBe("a whole number, please");
    expect(complaint(field("seed"), "")).toBeNull();
    expect(requestSettings({ ...defaults, temperature: "warm", topP: "1.5" })).toEqual({});
  });

  test("a schema is sent when it is one", () => {
    expect(schemaComplaint("{")).not.toBeNull();
    expect(requestSettings({ ...defaults, schema: "{" })).toEqual({});
    expect(requestSettings({ ...defaults, schema: '{"type": "array"}' })).toEqual({
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", strict: true, schema: { type: "array" } },
      },
    });
  });

  test("stored ones count as far as they are understood", () => {
    expect(readSettings(null)).toEqual(defaults);
    expect(readSettings("{")).toEqual(defaults);
    expect(readSettings("null")).toEqual(defaults);
    const stored = readSettings('{"theme": "dark", "temperature": 1, "unknown": 1}');
    expect(stored).toEqual({ ...defaults, theme: "dark" });
  });
});
