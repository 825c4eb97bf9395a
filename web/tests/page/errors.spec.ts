import type { Answer } from "./mock_server.ts";
import { expect, gate, test } from "./page_test.ts";

test("an error is shown as the server words it, and can be tried again", async ({
  chat,
  server,
}) => {
  let fails = true;
  server.script = (answer) => {
    if (fails) return answer.refuse(400, "the prompt has 9000 tokens, the context 8192");
    answer.say("Fine now.");
    answer.finish();
  };
  await chat.open();
  await chat.askAndWait("Go");
  await expect(chat.page.getByRole("alert")).toContainText("the prompt has 9000 tokens");
  fails = false;
  await chat.page.getByRole("button", { name: "Try again" }).click();
  await expect(chat.answers).toContainText("Fine now.");
  await expect(chat.page.getByRole("alert")).toHaveCount(0);
});

test("a full queue says when to come back", async ({ chat, server }) => {
  server.script = (answer) => answer.refuse(429, "64 requests are waiting", { "Retry-After": "7" });
  await chat.open();
  await chat.askAndWait("Go");
  await expect(chat.page.getByRole("alert")).toContainText(
    "64 requests are waiting Try again in 7 s.",
  );
});

test("an error within the stream keeps what had come", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say("As far as this");
    answer.event({ error: { message: "the disk was removed" } });
  };
  await chat.open();
  await chat.askAndWait("Go");
  await expect(chat.answers).toContainText("As far as this");
  await expect(chat.page.getByRole("alert")).toContainText("the disk was removed");
});

const breaks: Record<string, (answer: Answer) => void> = {
  "breaks off": (answer) => answer.breakOff(),
  "sends no JSON": (answer) => answer.sendRaw("data: {oops\n\n"),
  "ends too early": (answer) => answer.sendRaw(""),
};
for (const [what, script] of Object.entries(breaks)) {
  test(`a server that ${what} is an error, not an answer`, async ({ chat, server }) => {
    const rest = gate();
    server.script = async (answer) => {
      answer.say("Half");
      await rest.opened;
      script(answer);
    };
    await chat.open();
    await chat.ask("Go");
    await expect(chat.answers).toContainText("Half");
    rest.open();
    await expect(chat.page.getByRole("alert")).toContainText(/broke off|not JSON/);
    await expect(chat.answers).toContainText("Half");
  });
}

test("a server that asks for a key gets it, and what was asked is answered", async ({
  chat,
  server,
}) => {
  server.key = "secret";
  await chat.open();
  const dialog = chat.page.getByRole("dialog", { name: "API key" });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel("Key", { exact: true })).toBeFocused();
  await dialog.getByLabel("Key", { exact: true }).fill("secret");
  await dialog.getByLabel("Key", { exact: true }).press("Enter");
  await expect(dialog).toBeHidden();
  await expect(chat.page.getByRole("combobox", { name: "Model" })).toBeVisible();
  await chat.askAndWait("Hi");
  await expect(chat.answers).toContainText("Hello.");
  // It is kept for this tab alone.
  expect(await chat.page.evaluate(() => JSON.stringify(localStorage))).not.toContain("secret");
  await chat.page.reload();
  await expect(chat.page.getByRole("combobox", { name: "Model" })).toBeVisible();
  await expect(dialog).toBeHidden();
});

test("a wrong key is asked for again", async ({ chat, server }) => {
  server.key = "secret";
  await chat.open();
  const dialog = chat.page.getByRole("dialog", { name: "API key" });
  await dialog.getByLabel("Key", { exact: true }).fill("wrong");
  await dialog.getByRole("button", { name: "Use this key" }).click();
  await expect(dialog).toBeVisible();
});

test("a server that has gone is said to have gone, and found again", async ({ chat, server }) => {
  await chat.open();
  await chat.page.route("**/api/cistern/status", (route) => route.abort());
  await chat.page.route("**/v1/**", (route) => route.abort());
  await chat.askAndWait("Go");
  await expect(chat.page.getByRole("alert")).toContainText("does not answer");
  await chat.page.unrouteAll();
  await chat.page.getByRole("button", { name: "Try again" }).click();
  await expect(chat.answers).toContainText("Hello.");
  expect(server.requests).toHaveLength(1);
});
