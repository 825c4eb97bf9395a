// What every test of the page starts from: a scripted server, and proof at the end that the page asked no other
// host, threw nothing and met no refusal of its own policy.

import { expect, test as base, type Locator, type Page } from "@playwright/test";
import { MockServer } from "./mock_server.ts";

export class ChatPage {
  readonly composer: Locator;
  readonly send: Locator;
  readonly stop: Locator;
  readonly answers: Locator;
  readonly questions: Locator;
  readonly conversations: Locator;

  constructor(
    readonly page: Page,
    readonly server: MockServer,
    readonly address: string,
  ) {
    this.composer = page.getByRole("textbox", { name: "Message", exact: true });
    this.send = page.getByRole("button", { name: "Send", exact: true });
    this.stop = page.getByRole("button", { name: "Stop", exact: true });
    this.answers = page.locator("article.answer");
    this.questions = page.locator("article.question");
    this.conversations = page.getByRole("navigation", { name: "Conversations" });
  }

  async open(): Promise<void> {
    await this.page.goto(this.address);
    await expect(this.composer).toBeVisible();
  }

  async ask(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Asks and waits until the answer is complete. */
  async askAndWait(text: string): Promise<void> {
    const before = await this.answers.count();
    await this.ask(text);
    await expect(this.answers).toHaveCount(before + 1);
    await expect(this.stop).toBeHidden();
  }
}

export const test = base.extend<{ server: MockServer; chat: ChatPage }>({
  // eslint-style rule of Playwright: the first argument is always destructured.
  server: async ({}, use) => {
    const server = new MockServer();
    await use(server);
    await server.stop();
  },
  chat: async ({ page, server }, use) => {
    const address = await server.start();
    const foreign: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address))
        foreign.push(request.url());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|TrustedHTML|Uncaught/i.test(message.text()))
        complaints.push(message.text());
    });
    const chat = new ChatPage(page, server, address);
    await use(chat);
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  },
});

/** A promise and what resolves it: lets a test hold back the rest of an answer. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

export { expect };
