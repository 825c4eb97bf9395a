import { readFileSync } from "node:fs";
import { expect, gate, test } from "./page_test.ts";

test("conversations outlast a reload", async ({ chat }) => {
  await chat.open();
  await chat.askAndWait("Remember the water");
  await chat.page.reload();
  await expect(chat.questions).toContainText("Remember the water");
  await expect(chat.answers).toContainText("Hello.");
  await expect(chat.answers.locator(".stats")).toContainText("42 tokens");
});

test("an answer that a reload interrupts keeps what had come", async ({ chat, server }) => {
  const never = gate();
  server.script = async (answer) => {
    answer.say("As far as this");
    await never.opened;
  };
  await chat.open();
  await chat.ask("Go");
  await expect(chat.answers).toContainText("As far as this");
  await expect
    .poll(() =>
      chat.page.evaluate(
        () =>
          new Promise((resolve) => {
            const opening = indexedDB.open("cistern", 1);
            opening.onsuccess = () => {
              const all = opening.result
                .transaction("conversations")
                .objectStore("conversations")
                .getAll();
              all.onsuccess = () => resolve(JSON.stringify(all.result));
            };
          }),
      ),
    )
    .toContain("As far as this");
  await chat.page.reload();
  await expect(chat.answers).toContainText("As far as this");
  await expect(chat.answers.locator(".stats")).toContainText("Interrupted");
});

test("a conversation is renamed, deleted and brought back", async ({ chat }) => {
  await chat.open();
  await chat.askAndWait("First title");
  const list = chat.conversations;
  await list.getByRole("button", { name: "First title", exact: true }).hover();
  await list.getByRole("button", { name: "Rename First title" }).click();
  await list.getByRole("textbox", { name: "Title" }).fill("Second title");
  await list.getByRole("textbox", { name: "Title" }).press("Enter");
  const item = list.getByRole("button", { name: "Second title", exact: true });
  await expect(item).toBeVisible();
  await item.hover();
  await list.getByRole("button", { name: "Delete Second title" }).click();
  await expect(item).toBeHidden();
  await expect(chat.questions).toHaveCount(0);
  await chat.page.getByRole("button", { name: "Undo" }).click();
  await expect(item).toBeVisible();
  await chat.page.reload();
  await expect(item).toBeVisible();
});

test("what is deleted stays deleted", async ({ chat }) => {
  await chat.open();
  await chat.askAndWait("Gone soon");
  await chat.page.reload();
  const item = chat.conversations.getByRole("button", { name: "Gone soon", exact: true });
  await item.hover();
  await chat.conversations.getByRole("button", { name: "Delete Gone soon" }).click();
  await expect(chat.questions).toHaveCount(0);
  await chat.page.reload();
  await expect(
    chat.conversations.getByText("Your conversations will be listed here."),
  ).toBeVisible();
});

test("many conversations can be searched, in what was said too", async ({ chat, server }) => {
  server.script = (answer) => {
    answer.say(answer.request.messages[0]!.content === "topic 3" ? "about limestone" : "well");
    answer.finish();
  };
  await chat.open();
  for (let i = 0; i < 6; i++) {
    await chat.askAndWait(`topic ${i}`);
    await chat.page.keyboard.press("Control+Shift+O");
  }
  const search = chat.page.getByRole("searchbox", { name: "Search conversations" });
  const items = chat.conversations.locator(".item");
  await expect(items).toHaveCount(6);
  await search.fill("Limestone");
  await expect(items).toHaveText("topic 3");
  await search.fill("nothing of the kind");
  await expect(chat.conversations.getByText("Nothing found.")).toBeVisible();
});

test("conversations leave as a file and come back from it", async ({ chat }) => {
  await chat.open();
  await chat.askAndWait("To be kept");
  const [download] = await Promise.all([
    chat.page.waitForEvent("download"),
    chat.page.getByRole("button", { name: "Export all conversations" }).click(),
  ]);
  const json = readFileSync(await download.path(), "utf8");
  expect(JSON.parse(json)).toMatchObject({ format: "cistern-conversations", version: 1 });
  const file = chat.page.getByLabel("File with conversations");
  const item = chat.conversations.getByRole("button", { name: "To be kept", exact: true });
  await expect(item).toHaveCount(1);
  await file.setInputFiles({
    name: "c.json",
    mimeType: "application/json",
    buffer: Buffer.from(json),
  });
  await expect(item).toHaveCount(2);
  await file.setInputFiles({
    name: "x.json",
    mimeType: "application/json",
    buffer: Buffer.from("{}"),
  });
  await expect(
    chat.page.getByText("The file does not hold conversations of Cistern."),
  ).toBeVisible();
});

test("another tab sees what is written and deleted", async ({ chat, context }) => {
  await chat.open();
  const other = await context.newPage();
  await other.goto(chat.address);
  await chat.askAndWait("Seen from afar");
  const item = other.getByRole("button", { name: "Seen from afar", exact: true });
  await expect(item).toBeVisible();
  await chat.conversations.getByRole("button", { name: "Seen from afar", exact: true }).hover();
  await chat.conversations.getByRole("button", { name: "Delete Seen from afar" }).click();
  await expect(item).toBeHidden();
});

test("without storage everything works until the page is left, and that is said", async ({
  chat,
}) => {
  await chat.page.addInitScript(() => {
    Object.defineProperty(window, "indexedDB", { value: undefined });
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  await chat.open();
  await chat.askAndWait("Hi");
  await expect(chat.answers).toContainText("Hello.");
  await expect(chat.page.getByText("This browser does not keep conversations")).toBeVisible();
});
