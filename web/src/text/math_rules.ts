// Formulas in Markdown: $…$ and \(…\) in a line, $$…$$ and \[…\] on their own or in a line. A dollar is a
// price, not a formula, when a space follows the first, precedes the second or a digit follows the second.

import type { default as MarkdownIt, StateBlock, StateInline } from "markdown-it";
import { mathMl } from "./tex.ts";

const pairs = [
  { open: "$$", close: "$$", display: true },
  { open: "\\[", close: "\\]", display: true },
  { open: "\\(", close: "\\)", display: false },
  { open: "$", close: "$", display: false },
];

/** Where `close` stands in `text` from `from` on and is not escaped; -1: nowhere. */
function find(text: string, close: string, from: number, end: number): number {
  for (let at = from; at + close.length <= end; at++) {
    if (text.startsWith(close, at)) return at;
    if (text[at] === "\\") at++;
  }
  return -1;
}

function isPrice(text: string, open: number, close: number): boolean {
  const [first, last, next] = [text[open + 1] ?? "", text[close - 1] ?? "", text[close + 1] ?? ""];
  return /\s/.test(first) || /\s/.test(last) || /\d/.test(next);
}

function inline(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  const pair = pairs.find(({ open }) => src.startsWith(open, pos));
  if (!pair) return false;
  const from = pos + pair.open.length;
  const end = find(src, pair.close, from, posMax);
  if (end <= from) return false;
  if (pair.open === "$" && isPrice(src, pos, end)) return false;
  if (!silent) {
    const token = state.push(pair.display ? "math_display" : "math_inline", "math", 0);
    token.content = src.slice(from, end).trim();
    token.markup = pair.open;
  }
  state.pos = end + pair.close.length;
  return true;
}

function block(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (state.sCount[startLine]! - state.blkIndent >= 4) return false;
  const begin = state.bMarks[startLine]! + state.tShift[startLine]!;
  const pair = pairs.find(({ open, display }) => display && state.src.startsWith(open, begin));
  if (!pair) return false;
  const from = begin + pair.open.length;
  let line = startLine;
  let end = -1;
  for (; line < endLine; line++) {
    if (line > startLine && state.sCount[line]! < state.blkIndent) return false; // its container ends here
    const lineFrom = line === startLine ? from : state.bMarks[line]!;
    end = find(state.src, pair.close, lineFrom, state.eMarks[line]!);
    if (end >= 0) break;
  }
  if (end < 0) return false;
  if (state.src.slice(end + pair.close.length, state.eMarks[line]).trim() !== "") return false; // text follows: inline
  if (state.src.slice(from, end).trim() === "") return false;
  if (silent) return true;
  const token = state.push("math_block", "math", 0);
  token.block = true;
  token.content = state.src.slice(from, end).trim();
  token.markup = pair.open;
  token.map = [startLine, line + 1];
  state.line = line + 1;
  return true;
}

export function mathRules(md: MarkdownIt): void {
  const alt = ["paragraph", "reference", "blockquote", "list"];
  md.inline.ruler.before("escape", "math", inline); // which would take \( for an escaped bracket
  md.block.ruler.before("fence", "math", block, { alt });
  const { escapeHtml } = md.utils;
  const source = (tex: string) => `<code class="tex">${escapeHtml(tex)}</code>`;
  md.renderer.rules.math_inline = (tokens, i) => {
    const tex = tokens[i]!.content;
    return mathMl(tex, false) ?? source(tex);
  };
  md.renderer.rules.math_display = (tokens, i) => {
    const tex = tokens[i]!.content;
    return mathMl(tex, true) ?? source(tex);
  };
  md.renderer.rules.math_block = (tokens, i) => {
    const tex = tokens[i]!.content;
    return `<div class="formula">${mathMl(tex, true) ?? source(tex)}</div>\n`;
  };
}
