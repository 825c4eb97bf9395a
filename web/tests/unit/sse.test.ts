// The examples are those of the HTML standard, 9.2.6 "Interpreting an event stream".
import { describe, expect, test } from "vitest";
import { readEvents, SseParser, type SseEvent } from "../../src/api/sse.ts";

const events = (stream: string): SseEvent[] => new SseParser().push(stream);
const data = (stream: string): string[] => events(stream).map((e) => e.data);

const examples: [string, string, string[]][] = [
  ["data lines are joined", "data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]],
  [
    "one space after the colon is dropped",
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    ["first event", "second event", " third event"],
  ],
  ["what no blank line ends is no event", "data\n\ndata\ndata\n\ndata:", ["", "\n"]],
  ["with and without the space", "data:test\n\ndata: test\n\n", ["test", "test"]],
  ["fields that are not known are passed over", "retry: 3\nfoo: bar\ndata: x\n\n", ["x"]],
  ["a byte order mark may come first", "\uFEFFdata: x\n\n", ["x"]],
];

describe("server-sent events", () => {
  test.each(examples)("%s", (_, stream, expected) => {
    expect(data(stream)).toEqual(expected);
  });

  test.each(examples)("%s, with any line end", (_, stream, expected) => {
    expect(data(stream.replaceAll("\n", "\r\n"))).toEqual(expected);
    // A last carriage return waits for its line feed, so a comment follows.
    expect(data(`${stream.replaceAll("\n", "\r")}`.replace(/\r$/, "\r:"))).toEqual(expected);
  });

  test.each(examples)("%s, in pieces of one character", (_, stream, expected) => {
    const parser = new SseParser();
    const pieces = [...stream.replaceAll("\n", "\r\n")].flatMap((character) =>
      parser.push(character),
    );
    expect(pieces.map((e) => e.data)).toEqual(expected);
  });

  test("an event has a name", () => {
    expect(events("event: ping\ndata: 1\n\ndata: 2\n\n")).toEqual([
      { event: "ping", data: "1" },
      { event: "message", data: "2" },
    ]);
  });

  test("characters that are cut between two chunks are whole", async () => {
    const bytes = new TextEncoder().encode("data: Brücke 🌊\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const read: string[] = [];
    for await (const event of readEvents(body)) read.push(event.data);
    expect(read).toEqual(["Brücke 🌊"]);
  });
});
