// Files that go into a message: text only, within limits, checked before they are read.

import type { Attachment } from "../state/conversation.ts";

export const mostFiles = 8;
export const mostBytes = 1024 * 1024; // of one file: already more than most contexts hold

/** The text of a file, or an Error that says why it is not one. */
export async function readAttachment(file: File): Promise<Attachment> {
  if (file.size > mostBytes) throw new Error(`${file.name} is larger than 1 MB.`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not a text in UTF-8.`);
  }
  if (text.includes("\0")) throw new Error(`${file.name} is not a text.`);
  return { name: file.name.slice(0, 200), text };
}
