// Shows a text that grows. Blocks that have not changed keep their elements: a selection stays, code that was
// scrolled stays scrolled, and the cost of a token does not grow with the answer.

import { blocksOf } from "./markdown.ts";
import { contentOf } from "./content.ts";

export class BlockView {
  private shown: { key: string; nodes: ChildNode[] }[] = [];

  constructor(private readonly host: HTMLElement) {}

  show(text: string): void {
    const blocks = blocksOf(text);
    let same = 0;
    while (same < blocks.length && this.shown[same]?.key === blocks[same]!.key) same++;
    for (const { nodes } of this.shown.splice(same)) for (const node of nodes) node.remove();
    for (const block of blocks.slice(same)) {
      const fragment = contentOf(block.html());
      const nodes = [...fragment.childNodes];
      this.host.append(fragment);
      this.shown.push({ key: block.key, nodes });
    }
  }
}
