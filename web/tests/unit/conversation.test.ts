import { describe, expect, test } from "vitest";
import {
  before,
  newConversation,
  promptText,
  titleFrom,
  toRequest,
  withChanged,
  withMessage,
  type Message,
} from "../../src/state/conversation.ts";

const user = (content: string, id = content): Message => ({ id, role: "user", content });
const assistant = (content: string, id = content): Message => ({ id, role: "assistant", content });

describe("a conversation", () => {
  test("is named after what was asked first", () => {
    const first = withMessage(newConversation(1), user("What is\n a cistern?"), 2);
    expect(first.title).toBe("What is a cistern?");
    expect(withMessage(first, user("And a well?"), 3).title).toBe("What is a cistern?");
    expect(titleFrom("word ".repeat(50))).toBe(
      "word word word word word word word word word word word word…",
    );
  });

  test("keeps the messages that do not change", () => {
    const c = withMessage(withMessage(newConversation(1), user("a"), 2), assistant("b"), 3);
    const changed = withChanged(c, "b", (m) => ({ ...m, content: "c" }));
    expect(changed.messages[0]).toBe(c.messages[0]);
    expect(changed.messages[1]!.content).toBe("c");
    expect(c.messages[1]!.content).toBe("b");
    expect(before(changed, "b").messages).toEqual([c.messages[0]]);
  });
});

describe("what is sent", () => {
  test("begins with the system prompt, if there is one", () => {
    expect(toRequest("Be brief.", [user("Hi")])).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
    ]);
    expect(toRequest("  ", [user("Hi")])).toHaveLength(1);
  });

  test("has the roles in turn, also after an answer that failed", () => {
    const messages = [
      user("one"),
      { ...assistant(""), error: "no" },
      user("two"),
      assistant("yes"),
    ];
    expect(toRequest("", messages)).toEqual([
      { role: "user", content: "one\n\ntwo" },
      { role: "assistant", content: "yes" },
    ]);
  });

  test("holds files in fences that they cannot end", () => {
    const message = { ...user("Read."), attachments: [{ name: "a.md", text: "```\nx\n````" }] };
    expect(promptText(message)).toBe("File: a.md\n`````\n```\nx\n````\n`````\n\nRead.");
  });
});
