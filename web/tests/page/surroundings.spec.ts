import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "@playwright/test";
import { exampleStatus } from "./mock_server.ts";
import { expect, test } from "./page_test.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe has to say of the page as it is. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate<AxeResults>("axe.run(document)");
  return results.violations.map(
    (v) => `${v.id} (${v.impact}): ${v.nodes.map((node) => node.html).join(" ")}`,
  );
}

const answerWithEverything = `Text with \`code\`, a [link](https://example.org) and $x^2$.

| A | B |
| --- | --- |
| 1 | 2 |

> quoted

\`\`\`python
# a comment
@decorator
def f(x: int = 1) -> str:
    return f"{x}" + 'text' + str(None)
\`\`\`

\`\`\`diff
-old
+new
\`\`\`
`;

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`axe finds nothing in the ${colorScheme} page`, () => {
    test.use({ colorScheme });

    test("with a conversation", async ({ chat, server }) => {
      server.script = (answer) => {
        answer.delta({ reasoning_content: "Hm." });
        answer.say(answerWithEverything);
        answer.delta({
          tool_calls: [{ index: 0, id: "1", function: { name: "f", arguments: "{}" } }],
        });
        answer.finish();
      };
      await chat.open();
      expect(await findings(chat.page)).toEqual([]);
      await chat.askAndWait("Everything");
      await chat.answers.locator("summary").first().click();
      expect(await findings(chat.page)).toEqual([]);
      server.script = (answer) => answer.refuse(500, "no");
      await chat.askAndWait("More");
      await chat.composer.press("ArrowUp");
      expect(await findings(chat.page)).toEqual([]);
    });

    test("with its dialogs", async ({ chat }) => {
      await chat.open();
      for (const [keys, name] of [
        ["Control+,", "Settings"],
        ["Control+/", "Keyboard"],
      ] as const) {
        await chat.page.keyboard.press(keys);
        await expect(chat.page.getByRole("dialog", { name })).toBeVisible();
        expect(await findings(chat.page)).toEqual([]);
        await chat.page.keyboard.press("Escape");
        await expect(chat.page.getByRole("dialog")).toBeHidden();
      }
    });
  });
}

test("the settings go with the next question and outlast a reload", async ({ chat, server }) => {
  await chat.open();
  await chat.page.keyboard.press("Control+,");
  const dialog = chat.page.getByRole("dialog", { name: "Settings" });
  await dialog.getByLabel("System prompt").fill("Be brief.");
  await dialog.getByLabel("Temperature").fill("0.5");
  await dialog.getByLabel("Top-p").fill("7");
  await expect(dialog.getByText("between 0 and 1")).toBeVisible();
  await dialog.getByLabel("Seed").fill("1");
  await dialog.getByLabel("Reasoning").selectOption("low");
  await dialog.getByRole("button", { name: "Close" }).click();
  await chat.page.reload();
  await chat.page.getByRole("combobox", { name: "Model" }).selectOption("Llama-3.1-8B-Q4_0");
  await chat.askAndWait("Hi");
  expect(server.requests[0]).toEqual({
    model: "Llama-3.1-8B-Q4_0",
    temperature: 0.5,
    seed: 1,
    reasoning_effort: "low",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
    ],
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("shortcuts work as soon as the page is there", async ({ chat }) => {
  await chat.page.addInitScript(() => {
    const observer = new MutationObserver(() => {
      if (!document.querySelector("textarea")) return;
      observer.disconnect();
      dispatchEvent(new KeyboardEvent("keydown", { key: ",", ctrlKey: true, cancelable: true }));
    });
    observer.observe(document, { childList: true, subtree: true });
  });
  await chat.open();
  await expect(chat.page.getByRole("dialog", { name: "Settings" })).toBeVisible();
});

test("light and dark follow the system until one is chosen", async ({ chat }) => {
  const ground = () => chat.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await chat.page.emulateMedia({ colorScheme: "dark" });
  await chat.open();
  expect(await ground()).toBe("rgb(21, 25, 27)");
  await chat.page.emulateMedia({ colorScheme: "light" });
  expect(await ground()).toBe("rgb(252, 251, 249)");
  await chat.page.keyboard.press("Control+,");
  await chat.page.getByText("Dark", { exact: true }).click();
  expect(await ground()).toBe("rgb(21, 25, 27)");
  await chat.page.reload();
  expect(await ground()).toBe("rgb(21, 25, 27)");
});

test("the panel tells where the bytes are and how fast it goes", async ({ chat, server }) => {
  await chat.open();
  const panel = chat.page.getByRole("complementary", { name: "Memory and speed" });
  await expect(panel).toContainText("Fits in memory");
  await expect(panel).toContainText("4.1 GB of 6.8 GB");
  await expect(panel).toContainText("14.2 tok/s");
  await expect(
    panel.getByRole("img", { name: "14.2 tokens per second. Forecast 12.9 to 15.8. Limit 18.3." }),
  ).toBeVisible();
  await expect(panel).toContainText("1 of 8 running, 0 waiting");
  await expect(panel).toContainText("8,192 tokens");
  const model = exampleStatus.models![0]!;
  server.status = {
    ...exampleStatus,
    models: [
      {
        ...model,
        running: 3,
        queued: 2,
        recent: { decode_tok_s: 9.5, prefill_tok_s: null },
        plan: {
          ...model.plan!,
          verdict: "streams",
          tiers: [
            { name: "RAM", bytes: 1.5e9 },
            { name: "disk", bytes: 1e9 },
          ],
        },
      },
    ],
  };
  await expect(panel).toContainText("3 of 8 running, 2 waiting");
  await expect(panel).toContainText("Streams from disk");
  await expect(panel).toContainText("RAM 1.5 GB, disk 1.0 GB");
  await chat.page.keyboard.press("Control+j");
  await expect(panel).toBeHidden();
});

test("a server without figures, or with few of them, is no error", async ({ chat, server }) => {
  server.status = { models: [{ id: "Qwen3-4B-Q4_K_M" }] };
  await chat.open();
  const panel = chat.page.getByRole("complementary", { name: "Memory and speed" });
  await expect(panel).toContainText("Qwen3-4B-Q4_K_M");
  server.status = null;
  await chat.page.reload();
  await expect(panel).toContainText("This server does not tell its figures.");
  await chat.askAndWait("Hi");
  await expect(chat.answers).toContainText("Hello.");
});

test("an answer is announced when it begins and when it is complete", async ({ chat }) => {
  await chat.open();
  const said = chat.page.locator('[aria-live="polite"]');
  await chat.askAndWait("Hi");
  await expect(said).toHaveText("Answer: Hello.");
});

test("everything can be reached and used by keyboard", async ({ chat }) => {
  await chat.open();
  await expect(chat.composer).toBeFocused();
  await chat.page.keyboard.type("Hi");
  await chat.page.keyboard.press("Enter");
  await expect(chat.answers).toContainText("Hello.");
  const reached = new Set<string>();
  for (let i = 0; i < 40; i++) {
    await chat.page.keyboard.press("Tab");
    reached.add(
      await chat.page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? ""),
    );
  }
  for (const label of [
    "Copy message",
    "Edit message",
    "Copy answer",
    "Regenerate answer",
    "Message",
  ])
    expect([...reached]).toContain(label);
  for (const label of [
    "Rename Hi",
    "Delete Hi",
    "Keyboard shortcuts",
    "Model",
    "Attach text files",
  ])
    expect([...reached]).toContain(label);
  await chat.page.keyboard.press("Shift+Escape");
  await expect(chat.composer).toBeFocused();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });

  test("there is room for a chat, the rest are drawers", async ({ chat }) => {
    await chat.open();
    await expect(chat.conversations).toBeHidden();
    await chat.composer.fill("Hi there");
    await chat.send.tap();
    await expect(chat.answers).toContainText("Hello.");
    const width = await chat.page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBe(390);
    expect(await findings(chat.page)).toEqual([]);
    await chat.page.getByRole("button", { name: "Show conversations" }).tap();
    await expect(
      chat.conversations.getByRole("button", { name: "Hi there", exact: true }),
    ).toBeVisible();
    expect(await findings(chat.page)).toEqual([]);
    await chat.conversations.getByRole("button", { name: "New chat" }).tap();
    await expect(chat.conversations).toBeHidden();
    await expect(chat.questions).toHaveCount(0);
    await chat.page.getByRole("button", { name: "Show memory and speed" }).tap();
    await expect(chat.page.getByRole("complementary", { name: "Memory and speed" })).toBeVisible();
    expect(await findings(chat.page)).toEqual([]);
    await chat.page.keyboard.press("Escape");
    await expect(chat.page.getByRole("complementary", { name: "Memory and speed" })).toBeHidden();
  });
});
