// A server for the tests of the page: the built page with the headers that the real one sends, models, a status
// and answers that a test scripts. Listens on a port of 127.0.0.1 that the system picks.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import type { ChatRequest } from "../../src/api/chat.ts";
import type { ServerStatus } from "../../src/api/status.ts";

const built = resolve(process.env.PAGE_OUT ?? "../src/serve/page");

/** The value of kContentSecurityPolicy in the header that the build wrote. */
function policy(): string {
  const header = readFileSync(`${built}/policy.h`, "utf8");
  const value = header.slice(header.indexOf("kContentSecurityPolicy ="));
  return [...value.matchAll(/"([^"]*)"/g)].map((literal) => literal[1]).join("");
}

/** One streamed answer, as the test's script writes it. */
export class Answer {
  constructor(
    readonly request: ChatRequest,
    private readonly response: ServerResponse,
    readonly gone: Promise<void>, // the page has closed the connection
  ) {}

  private begin(): void {
    if (!this.response.headersSent)
      this.response.writeHead(200, {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
      });
  }
  event(document: unknown): void {
    this.begin();
    this.response.write(`data: ${JSON.stringify(document)}\n\n`);
  }
  delta(delta: object): void {
    this.event({ choices: [{ index: 0, delta }] });
  }
  say(text: string): void {
    this.delta({ content: text });
  }
  finish(reason = "stop", completionTokens = 42): void {
    this.event({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
    this.event({
      choices: [],
      usage: {
        prompt_tokens: 120,
        completion_tokens: completionTokens,
        prompt_tokens_details: { cached_tokens: 64 },
      },
    });
    this.response.end("data: [DONE]\n\n");
  }
  refuse(status: number, message: string, headers: Record<string, string> = {}): void {
    this.response.writeHead(status, { "Content-Type": "application/json", ...headers });
    this.response.end(JSON.stringify({ error: { message, type: "server_error" } }));
  }
  sendRaw(text: string): void {
    this.begin();
    this.response.end(text);
  }
  breakOff(): void {
    this.begin();
    this.response.write("data: ", () => this.response.destroy());
  }
}

export type Script = (answer: Answer) => void | Promise<void>;

export const exampleStatus: ServerStatus = {
  version: "0.8.0",
  uptime_s: 5400,
  models: [
    {
      id: "Qwen3-4B-Q4_K_M",
      loaded: true,
      plan: {
        verdict: "fits",
        bytes: { weights: 2.5e9, kv: 1.21e9, buffers: 0.32e9, overhead: 0.06e9, total: 4.09e9 },
        budget_bytes: 6.8e9,
        tiers: [{ name: "RAM", bytes: 2.5e9 }],
        context_tokens: 8192,
      },
      forecast: {
        decode_tok_s: { low: 12.9, mid: 14.4, high: 15.8 },
        prefill_tok_s: { low: 120, mid: 140, high: 155 },
        limit_tok_s: 18.3,
      },
      running: 1,
      queued: 0,
      max_running: 8,
      kv_pages: { all: 512, used: 96, cached: 180, page_tokens: 16 },
      recent: { decode_tok_s: 14.2, prefill_tok_s: 138 },
      totals: {
        prompt_tokens: 18_420,
        reused_tokens: 30_112,
        generated_tokens: 9_731,
        requests: 41,
      },
    },
    { id: "Llama-3.1-8B-Q4_0", loaded: false },
  ],
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += piece;
  return body;
}

export class MockServer {
  script: Script = (answer) => {
    answer.say("Hello.");
    answer.finish();
  };
  status: ServerStatus | null = exampleStatus; // null: there is no such address
  models = ["Qwen3-4B-Q4_K_M", "Llama-3.1-8B-Q4_0"];
  key = ""; // not empty: asked for
  readonly requests: ChatRequest[] = [];

  private readonly server = createServer((request, response) => void this.serve(request, response));

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, document: unknown) => {
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(document));
    };
    const path = request.url ?? "";
    if (path === "/") {
      response.writeHead(200, {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
      });
      response.end(readFileSync(`${built}/index.html`));
    } else if (path === "/favicon.svg") {
      response.writeHead(200, { "Content-Type": "image/svg+xml" });
      response.end(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`);
    } else if (this.key !== "" && request.headers.authorization !== `Bearer ${this.key}`) {
      json(401, { error: { message: "a key is needed", type: "authentication_error" } });
    } else if (path === "/v1/models") {
      json(200, { object: "list", data: this.models.map((id) => ({ id, object: "model" })) });
    } else if (path === "/api/cistern/status" && this.status) {
      json(200, this.status);
    } else if (path === "/v1/chat/completions") {
      const gone = new Promise<void>((done) => response.on("close", done));
      const document = JSON.parse(await bodyOf(request)) as ChatRequest;
      this.requests.push(document);
      await this.script(new Answer(document, response, gone));
    } else {
      json(404, { error: { message: "no such address", type: "invalid_request_error" } });
    }
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
