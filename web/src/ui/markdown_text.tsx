// Markdown that may still grow.

import { useLayoutEffect, useRef } from "preact/hooks";
import { BlockView } from "../text/block_view.ts";
import { copy } from "./view.ts";

async function copyCode(event: MouseEvent): Promise<void> {
  const button = (event.target as Element).closest<HTMLButtonElement>(".code-copy");
  const code = button?.closest(".code")?.querySelector("code");
  if (!button || !code || !(await copy(code.textContent ?? ""))) return;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

export function MarkdownText({ text }: { text: string }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<BlockView | null>(null);
  useLayoutEffect(() => {
    view.current ??= new BlockView(host.current!);
    view.current.show(text);
  }, [text]);
  // The handler serves the buttons that are inside, which are reached by keyboard themselves.
  return <div class="prose" ref={host} onClick={(event) => void copyCode(event)} />;
}
