// Server-sent events from a body that arrives in pieces, as the HTML standard parses them: lines end with CR,
// LF or both, a blank line ends an event, several data lines are joined.

export interface SseEvent {
  event: string;
  data: string;
}

export class SseParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private begun = false;

  /** The events that are complete with this piece. */
  push(piece: string): SseEvent[] {
    if (!this.begun && piece !== "") {
      this.begun = true;
      piece = piece.replace(/^\uFEFF/, "");
    }
    const text = this.rest + piece;
    const events: SseEvent[] = [];
    const lineEnd = /\r\n?|\n/g;
    let from = 0;
    for (let end = lineEnd.exec(text); end; end = lineEnd.exec(text)) {
      // The line feed that may belong to this carriage return has not come yet.
      if (end[0] === "\r" && lineEnd.lastIndex === text.length) break;
      const event = this.line(text.slice(from, end.index));
      if (event) events.push(event);
      from = lineEnd.lastIndex;
    }
    this.rest = text.slice(from);
    return events;
  }

  private line(line: string): SseEvent | null {
    if (line === "") {
      const { event, data } = this;
      this.event = "";
      this.data = [];
      return data.length > 0 ? { event: event || "message", data: data.join("\n") } : null;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    if (name === "event") this.event = value;
    return null; // comments, id and retry mean nothing here
  }
}

/** The events of a body, until it ends. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // what has no blank line behind it is no event
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
