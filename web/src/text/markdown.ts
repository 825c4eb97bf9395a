// Markdown to HTML, in blocks. HTML in the text stays text, images become links (the page loads nothing from
// elsewhere). The result is still not trusted: content.ts cleans it before it is shown.

import MarkdownIt, { type Token } from "markdown-it";
import { highlighted } from "./highlight.ts";
import { mathRules } from "./math_rules.ts";

const md = new MarkdownIt({ html: false, linkify: true });
md.use(mathRules);
md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
const { escapeHtml } = md.utils;

md.renderer.rules.fence = (tokens, i) => {
  const { content, info } = tokens[i]!;
  const language = (info.trim().split(/\s+/)[0] ?? "").toLowerCase().replace(/[^\w+#.-]/g, "");
  const code = highlighted(content, language) ?? escapeHtml(content);
  const name = language === "" ? "" : ` class="language-${escapeHtml(language)}"`;
  return `<pre><code${name}>${code}</code></pre>\n`;
};

md.renderer.rules.image = (tokens, i) => {
  const token = tokens[i]!;
  const text = escapeHtml(token.content || "image");
  const address = token.attrGet("src") ?? "";
  return address === "" ? text : `<a href="${escapeHtml(address)}">${text}</a>`;
};

// A wide table scrolls by itself.
md.renderer.rules.table_open = () => `<div class="table"><table>\n`;
md.renderer.rules.table_close = () => `</table></div>\n`;

export interface Block {
  key: string; // the same for the same block: what it was made from
  html: () => string;
}

function topLevel(tokens: Token[]): Token[][] {
  const groups: Token[][] = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) groups.push([]);
    groups.at(-1)!.push(token);
    depth += token.nesting;
  }
  return groups;
}

/** The blocks of a text: paragraphs, lists, code. While a text grows only its last ones change. */
export function blocksOf(text: string): Block[] {
  const env: { references?: object } = {};
  const lines = text.split("\n");
  const tokens = md.parse(text, env);
  const references = Object.keys(env.references ?? {}).join(" "); // they may change any block
  return topLevel(tokens).map((group) => {
    const [from, to] = group[0]!.map ?? [0, lines.length];
    return {
      key: [group[0]!.type, references, ...lines.slice(from, to)].join("\n"),
      html: () => md.renderer.render(group, md.options, env),
    };
  });
}

export const htmlOf = (text: string): string =>
  blocksOf(text)
    .map((block) => block.html())
    .join("");
