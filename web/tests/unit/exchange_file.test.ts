import { describe, expect, test } from "vitest";
import type { Conversation } from "../../src/state/conversation.ts";
import { exported, imported } from "../../src/state/exchange_file.ts";

const conversation: Conversation = {
  id: "c",
  title: "Water",
  created: 1,
  updated: 2,
  messages: [
    { id: "q", role: "user", content: "Hi", attachments: [{ name: "a", text: "b" }] },
    {
      id: "a",
      role: "assistant",
      content: "Hello",
      reasoning: "Hm",
      calls: [{ id: "1", name: "f", arguments: "{}" }],
      end: "stop",
      stats: {
        promptTokens: 1,
        cachedTokens: 0,
        completionTokens: 2,
        firstTokenS: 0.5,
        tokS: null,
      },
    },
  ],
};

const withoutIds = (c: Conversation) => ({
  ...c,
  id: "",
  titleIsGiven: true,
  messages: c.messages.map((m) => ({ ...m, id: "" })),
});

describe("a file of conversations", () => {
  test("comes back as it went, under other ids", () => {
    const [back] = imported(exported([conversation]));
    expect(withoutIds(back!)).toEqual(withoutIds(conversation));
    expect(back!.id).not.toBe(conversation.id);
  });

  test.each([
    ["{", "not JSON"],
    ["null", "does not hold"],
    ["[]", "does not hold"],
    ['{"format": "other"}', "does not hold"],
    ['{"format": "cistern-conversations", "version": 2}', "newer"],
  ])("%s is refused", (json, why) => {
    expect(() => imported(json)).toThrow(why);
  });

  test("a wrong message is named", () => {
    const file = (message: object) =>
      JSON.stringify({
        format: "cistern-conversations",
        version: 1,
        conversations: [{ title: 7, messages: [message] }],
      });
    expect(() => imported(file({ role: "system", content: "" }))).toThrow(
      "conversations[0].messages[0].role",
    );
    expect(() => imported(file({ role: "user", content: 7 }))).toThrow("messages[0].content");
  });

  test("fields of another type or name are left out", () => {
    const message = { role: "user", content: "x", end: "odd", stats: 7, calls: [1], other: {} };
    const json = JSON.stringify({
      format: "cistern-conversations",
      version: 1,
      conversations: [{ title: 7, created: "x", messages: [message] }, "no"],
    });
    const [only, ...more] = imported(json);
    expect(more).toEqual([]);
    expect(only!.title).toBe("New chat");
    expect(Object.keys(only!.messages[0]!)).toEqual(["id", "role", "content"]);
  });
});
