// Where messages are written. What was begun in a conversation stays there while another is looked at.

import { computed, signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ask, running, stop } from "../state/answers.ts";
import type { Attachment } from "../state/conversation.ts";
import { shown, shownId } from "../state/conversations.ts";
import { mostFiles, readAttachment } from "../text/attachments.ts";
import { fitHeight } from "./fit_height.ts";
import { Icon, IconButton } from "./icons.tsx";
import { FileChip } from "./question.tsx";
import { composerFocus, editing, focusComposer, isNarrow, notify } from "./view.ts";

interface Draft {
  text: string;
  files: Attachment[];
}

const nothing: Draft = { text: "", files: [] };
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());
const draft = computed(() => drafts.value.get(shownId.value) ?? nothing);
const isRunning = computed(() => running.value.has(shownId.value));

function setDraft(changes: Partial<Draft>): void {
  drafts.value = new Map(drafts.value).set(shownId.value, { ...draft.value, ...changes });
}

export async function attach(files: Iterable<File>): Promise<void> {
  for (const file of files) {
    if (draft.value.files.length >= mostFiles) {
      notify({ text: `A message takes ${mostFiles} files at most.` });
      return;
    }
    try {
      const attachment = await readAttachment(file);
      setDraft({ files: [...draft.value.files, attachment] });
    } catch (error) {
      notify({ text: error instanceof Error ? error.message : String(error) });
    }
  }
  focusComposer();
}

function send(): void {
  const { text, files } = draft.value;
  if (isRunning.value || (text.trim() === "" && files.length === 0)) return;
  drafts.value = new Map(drafts.value).set(shownId.value, nothing);
  ask(shownId.value, text.trim(), files);
}

function editLast(): boolean {
  const last = shown.value?.messages.findLast((m) => m.role === "user");
  if (!last || isRunning.value) return false;
  editing.value = last.id;
  return true;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.isComposing) return;
  // The keyboard of a phone has no Shift+Enter: there the button sends.
  const sends =
    event.key === "Enter" && !event.shiftKey && !(isNarrow.value && "ontouchstart" in window);
  if (sends) {
    event.preventDefault();
    send();
  } else if (event.key === "ArrowUp" && draft.value.text === "" && editLast()) {
    event.preventDefault();
  }
}

function AttachButton() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="attach" label="Attach text files" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        multiple
        class="sr"
        tabIndex={-1}
        aria-label="Text files"
        onChange={(event) => {
          void attach([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

function SendButton() {
  const isEmpty = draft.value.text.trim() === "" && draft.value.files.length === 0;
  return isRunning.value ? (
    <button
      type="button"
      class="send"
      aria-label="Stop"
      title="Stop (Esc)"
      onClick={() => stop(shownId.value)}
    >
      <Icon name="stop" />
    </button>
  ) : (
    <button type="submit" class="send" aria-label="Send" title="Send (Enter)" disabled={isEmpty}>
      <Icon name="send" />
    </button>
  );
}

export function Composer() {
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, files } = draft.value;
  useLayoutEffect(() => fitHeight(field.current!), [text, shownId.value]);
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), [composerFocus.value]);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="composer-box">
        {files.length > 0 && (
          <ul class="chips" aria-label="Files of this message">
            {files.map((file, i) => (
              <FileChip
                key={i}
                file={file}
                remove={() => setDraft({ files: files.filter((_, at) => at !== i) })}
              />
            ))}
          </ul>
        )}
        <textarea
          ref={field}
          rows={1}
          aria-label="Message"
          placeholder="Write a message"
          value={text}
          enterkeyhint={isNarrow.value ? "enter" : "send"}
          onInput={(event) => setDraft({ text: event.currentTarget.value })}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const pasted = [...(event.clipboardData?.files ?? [])];
            if (pasted.length === 0) return;
            event.preventDefault();
            void attach(pasted);
          }}
        />
        <div class="composer-row">
          <AttachButton />
          <span class="spacer" />
          <SendButton />
        </div>
      </div>
    </form>
  );
}
