import { expect, gate, test } from "./page_test.ts";

test("an answer comes piece by piece and ends with what it cost", async ({ chat, server }) => {
  const rest = gate();
  server.script = async (answer) => {
    for (const piece of ["A cistern ", "keeps ", "**water**", " for dry days"]) answer.say(piece);
    await rest.opened;
    answer.say(".");
    answer.finish("stop", 42);
  };
  await chat.open();
  await chat.ask("What is a cistern?");
  await expect(chat.questions).toHaveText(/What is a cistern\?/);
  await expect(chat.answers).toContainText("A cistern keeps water for dry days");
  await expect(chat.stop).toBeVisible();
  await expect(chat.composer).toHaveValue("");
  rest.open();
  await expect(chat.answers).toContainText("dry days.");
  await expect(chat.answers.locator("strong")).toHaveText("water");
  await expect(chat.answers.locator(".stats")).toContainText("42 tokens");
  await expect(chat.answers.locator(".stats")).toContainText("first after");
  await expect(chat.page).toHaveTitle(/What is a cistern\?/);
  expect(server.requests).toEqual([
    {
      model: "Qwen3-4B-Q4_K_M",
      messages: [{ role: "user", content: "What is a cistern?" }],
      stream: true,
      stream_options: { include_usage: true },
    },
  ]);
});

test("the whole conversation is sent, without what the model thought", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.delta({ reasoning_content: "Hm." });
    answer.say("One.");
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("first");
  await chat.askAndWait("second");
  expect(server.requests[1]!.messages).toEqual([
    { role: "user", content: "first" },
    { role: "assistant", content: "One." },
    { role: "user", content: "second" },
  ]);
});

test("Shift+Enter is a new line", async ({ chat, server }) => {
  await chat.open();
  await chat.composer.fill("one");
  await chat.composer.press("Shift+Enter");
  await chat.composer.pressSequentially("two");
  await chat.composer.press("Enter");
  await expect(chat.questions).toContainText("one\ntwo");
  await expect.poll(() => server.requests[0]?.messages[0]?.content).toBe("one\ntwo");
});

for (const how of ["button", "Escape"]) {
  test(`${how} stops: the server sees it, the text stays`, async ({ chat, server }) => {
    let gone: Promise<void> | undefined;
    server.script = (answer) => {
      answer.say("Begun and ");
      gone = answer.gone;
    };
    await chat.open();
    await chat.ask("Tell me");
    await expect(chat.answers).toContainText("Begun and");
    if (how === "button") await chat.stop.click();
    else await chat.page.keyboard.press("Escape");
    await gone;
    await expect(chat.answers.locator(".stats")).toContainText("Stopped");
    await expect(chat.answers).toContainText("Begun and");
    await expect(chat.send).toBeVisible();
  });
}

test("an edited question is asked anew, and what followed is gone", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say(`You said: ${answer.request.messages.at(-1)!.content}`);
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("first");
  await chat.askAndWait("second");
  await chat.questions.first().hover();
  await chat.questions.first().getByRole("button", { name: "Edit message" }).click();
  const field = chat.page.getByRole("textbox", { name: "Edit message" });
  await expect(field).toBeFocused();
  await field.fill("changed");
  await field.press("Enter");
  await expect(chat.answers).toHaveCount(1);
  await expect(chat.answers).toContainText("You said: changed");
  expect(server.requests.at(-1)!.messages).toEqual([{ role: "user", content: "changed" }]);
  await expect(chat.composer).toBeFocused();
});

test("the arrow up edits the last question, Escape leaves it", async ({ chat }) => {
  await chat.open();
  await chat.askAndWait("first");
  await chat.composer.press("ArrowUp");
  const field = chat.page.getByRole("textbox", { name: "Edit message" });
  await expect(field).toHaveValue("first");
  await field.press("Escape");
  await expect(field).toBeHidden();
  await expect(chat.answers).toHaveCount(1);
});

test("an answer is written anew", async ({ chat, server }) => {
  let n = 0;
  server.script = (answer) => {
    answer.say(`Answer ${++n}`);
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("Say something");
  await chat.answers.getByRole("button", { name: "Regenerate answer" }).click();
  await expect(chat.answers).toHaveCount(1);
  await expect(chat.answers).toContainText("Answer 2");
  expect(server.requests[1]).toEqual(server.requests[0]);
});

test("what the model thinks is folded", async ({ chat, server }) => {
  const rest = gate();
  server.script = async (answer) => {
    answer.delta({ reasoning_content: "Let me see." });
    await rest.opened;
    answer.say("Yes.");
    answer.finish();
  };
  await chat.open();
  await chat.ask("Is it?");
  await expect(chat.answers.locator("summary")).toHaveText("Thinking…");
  await expect(chat.answers.getByText("Let me see.")).toBeHidden();
  rest.open();
  await expect(chat.answers.locator("summary")).toHaveText(/Thought for/);
  await chat.answers.locator("summary").click();
  await expect(chat.answers.getByText("Let me see.")).toBeVisible();
});

test("calls of tools are shown with their arguments", async ({ chat, server }) => {
  server.script = (answer) => {
    const call = (index: number, more: object) =>
      answer.delta({ tool_calls: [{ index, ...more }] });
    call(0, { id: "c1", type: "function", function: { name: "weather", arguments: "" } });
    call(0, { function: { arguments: '{"city": ' } });
    call(1, { id: "c2", type: "function", function: { name: "clock", arguments: "{}" } });
    call(0, { function: { arguments: '"Jena"}' } });
    answer.finish("tool_calls");
  };
  await chat.open();
  await chat.askAndWait("Weather?");
  await expect(chat.answers.locator("summary")).toHaveText([/weather/, /clock/]);
  await expect(chat.answers.locator("pre").first()).toHaveText('{\n  "city": "Jena"\n}');
});

test("an answer that was cut off says so", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say("Once upon");
    answer.finish("length");
  };
  await chat.open();
  await chat.askAndWait("A story");
  await expect(chat.answers.locator(".stats")).toContainText("Cut off at the token limit");
});

test("two conversations are answered at the same time", async ({ chat, server }) => {
  const gates = { one: gate(), two: gate() };
  server.script = async (answer) => {
    const name = answer.request.messages[0]!.content as keyof typeof gates;
    answer.say(`Answer ${name}`);
    await gates[name].opened;
    answer.say(" done");
    answer.finish();
  };
  await chat.open();
  await chat.ask("one");
  await expect(chat.answers).toContainText("Answer one");
  await chat.page.keyboard.press("Control+Shift+O");
  await expect(chat.answers).toHaveCount(0);
  await chat.ask("two");
  await expect(chat.answers).toContainText("Answer two");
  gates.one.open();
  gates.two.open();
  await expect(chat.answers).toContainText("Answer two done");
  await chat.conversations.getByRole("button", { name: "one", exact: true }).click();
  await expect(chat.answers).toContainText("Answer one done");
});

test("reading further up is not disturbed by an answer that grows", async ({ chat, server }) => {
  const rest = gate();
  server.script = async (answer) => {
    answer.say("line\n\n".repeat(80));
    await rest.opened;
    answer.say("line\n\n".repeat(80));
    answer.finish();
  };
  await chat.open();
  await chat.ask("Long, please");
  const thread = chat.page.getByRole("region", { name: "Conversation" });
  await expect(chat.answers.locator("p")).toHaveCount(80);
  const position = () => thread.evaluate((e) => [e.scrollTop, e.scrollHeight - e.clientHeight]);
  await expect.poll(async () => (await position())[0]).toBeGreaterThan(500); // it follows
  await thread.evaluate((e) => e.scrollTo(0, 100));
  await expect(chat.page.getByRole("button", { name: "To the end" })).toBeVisible();
  rest.open();
  await expect(chat.answers.locator("p")).toHaveCount(160);
  expect((await position())[0]).toBe(100);
  await chat.page.getByRole("button", { name: "To the end" }).click();
  await expect
    .poll(async () => (await position()).reduce((a, b) => Math.abs(a - b)))
    .toBeLessThan(2);
});

test("text that has come keeps its elements while more comes", async ({ chat, server }) => {
  const rest = gate();
  server.script = async (answer) => {
    answer.say("First.\n\nSecond");
    await rest.opened;
    answer.say(" and more.\n\nThird.");
    answer.finish();
  };
  await chat.open();
  await chat.ask("Go");
  const first = await chat.answers.locator("p").first().elementHandle();
  await expect(chat.answers.locator("p")).toHaveCount(2);
  rest.open();
  await expect(chat.answers.locator("p")).toHaveText(["First.", "Second and more.", "Third."]);
  expect(await first!.evaluate((element) => element.isConnected)).toBe(true);
});
