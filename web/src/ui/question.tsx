// What the user said, and the field to say it differently.

import { memo } from "preact/compat";
import { useLayoutEffect, useRef } from "preact/hooks";
import { edit } from "../state/answers.ts";
import type { Attachment, Message } from "../state/conversation.ts";
import { bytes } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";
import { fitHeight } from "./fit_height.ts";
import { copy, editing, focusComposer } from "./view.ts";

export function FileChip({ file, remove }: { file: Attachment; remove?: () => void }) {
  return (
    <li class="chip">
      <Icon name="file" size={16} />
      <span class="chip-name">{file.name}</span>
      <span class="chip-size">{bytes(new Blob([file.text]).size)}</span>
      {remove && <IconButton icon="close" label={`Remove ${file.name}`} onClick={remove} />}
    </li>
  );
}

function Editor({ message, conversationId }: { message: Message; conversationId: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = field.current!;
    fitHeight(element);
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
  }, []);
  const close = () => {
    editing.value = null;
    focusComposer();
  };
  const submit = () => {
    const text = field.current!.value.trim();
    if (text === "" && !message.attachments) return;
    close();
    edit(conversationId, message.id, text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) submit();
    else return;
    event.preventDefault();
  };
  return (
    <div class="editor">
      <textarea
        ref={field}
        aria-label="Edit message"
        defaultValue={message.content}
        onInput={(event) => fitHeight(event.currentTarget)}
        onKeyDown={onKeyDown}
      />
      <div class="editor-actions">
        <small>What follows is answered anew.</small>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="button primary" onClick={submit}>
          Send
        </button>
      </div>
    </div>
  );
}

interface Props {
  message: Message;
  conversationId: string;
  isEdited: boolean;
  isBusy: boolean;
}

export const Question = memo(function Question(props: Props) {
  const { message, conversationId, isEdited, isBusy } = props;
  return (
    <article class="message question">
      <h2 class="sr">You</h2>
      {message.attachments && (
        <ul class="chips" aria-label="Files">
          {message.attachments.map((file, i) => (
            <FileChip key={i} file={file} />
          ))}
        </ul>
      )}
      {isEdited ? (
        <Editor message={message} conversationId={conversationId} />
      ) : (
        message.content !== "" && <div class="bubble">{message.content}</div>
      )}
      {!isEdited && (
        // While an answer is written it keeps its place, so that nothing moves at the end.
        <footer class={isBusy ? "message-foot busy" : "message-foot"}>
          <span class="message-actions">
            <IconButton
              icon="copy"
              label="Copy message"
              onClick={() => void copy(message.content)}
            />
            <IconButton
              icon="edit"
              label="Edit message"
              onClick={() => (editing.value = message.id)}
            />
          </span>
        </footer>
      )}
    </article>
  );
});
