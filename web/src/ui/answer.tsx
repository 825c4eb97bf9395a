// An answer: what the model thought, said and called, what went wrong, and what it cost.

import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { regenerate, running } from "../state/answers.ts";
import type { AnswerStats, Message, ToolCall } from "../state/conversation.ts";
import { models } from "../state/server.ts";
import { count, figure, seconds, whole } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";
import { MarkdownText } from "./markdown_text.tsx";
import { copy } from "./view.ts";

function Reasoning({ message, isRunning }: { message: Message; isRunning: boolean }) {
  const isThinking = isRunning && message.content === "" && !message.calls;
  const label = isThinking ? "Thinking…" : `Thought for ${seconds(message.reasoningS ?? 0)}`;
  return (
    <details class="fold reasoning">
      <summary>
        <Icon name="chevron" size={16} />
        <span class={isThinking ? "shimmer" : ""}>{label}</span>
      </summary>
      <div class="reasoning-text">
        <MarkdownText text={message.reasoning ?? ""} />
      </div>
    </details>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // not complete yet, or not JSON
  }
}

function Call({ call }: { call: ToolCall }) {
  return (
    <details class="fold call" open>
      <summary>
        <Icon name="chevron" size={16} />
        <Icon name="tool" size={16} />
        <span>
          Calls <code>{call.name}</code>
        </span>
      </summary>
      <pre tabIndex={0} role="region" aria-label={`Arguments of ${call.name}`}>
        <code>{pretty(call.arguments)}</code>
      </pre>
    </details>
  );
}

function Failure({ text, retry }: { text: string; retry: (() => void) | null }) {
  return (
    <div class="failure" role="alert">
      <span>{text}</span>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

function Stats({ stats }: { stats: AnswerStats }) {
  const prompt =
    stats.promptTokens > 0
      ? `Prompt of ${count(stats.promptTokens, "token")}, ${whole(stats.cachedTokens)} of them from the cache`
      : undefined;
  return (
    <>
      <span>{count(stats.completionTokens, "token")}</span>
      {stats.tokS !== null && <span>{figure(stats.tokS)} tok/s</span>}
      <span title={prompt}>first after {seconds(stats.firstTokenS)}</span>
    </>
  );
}

const notes: Partial<Record<NonNullable<Message["end"]>, string>> = {
  stopped: "Stopped",
  length: "Cut off at the token limit",
};

function CopyButton({ text }: { text: string }) {
  const [isDone, setDone] = useState(false);
  const run = async () => {
    if (!(await copy(text))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <IconButton icon={isDone ? "check" : "copy"} label="Copy answer" onClick={() => void run()} />
  );
}

function Foot({ message, conversationId }: { message: Message; conversationId: string }) {
  const note = message.end ? notes[message.end] : "Interrupted";
  return (
    <footer class="message-foot">
      <span class="message-actions">
        {message.content !== "" && <CopyButton text={message.content} />}
        <IconButton
          icon="retry"
          label="Regenerate answer"
          onClick={() => regenerate(conversationId, message.id)}
        />
      </span>
      <span class="stats">
        {note && <span>{note}</span>}
        {message.stats && <Stats stats={message.stats} />}
        {models.value.length > 1 && message.model && <span>{message.model}</span>}
      </span>
    </footer>
  );
}

function Waiting({ conversationId }: { conversationId: string }) {
  const speed = running.value.get(conversationId);
  return (
    <footer class="message-foot live">
      <span class="pulse" />
      <span class="stats">{speed ? `${figure(speed)} tok/s` : "Reading the prompt"}</span>
    </footer>
  );
}

interface Props {
  message: Message;
  conversationId: string;
  isRunning: boolean;
}

export const Answer = memo(function Answer({ message, conversationId, isRunning }: Props) {
  const retry = isRunning ? null : () => regenerate(conversationId, message.id);
  return (
    <article class="message answer">
      <h2 class="sr">Answer</h2>
      {message.reasoning && <Reasoning message={message} isRunning={isRunning} />}
      {message.content !== "" && <MarkdownText text={message.content} />}
      {message.calls?.map((call, i) => (
        <Call key={i} call={call} />
      ))}
      {message.error && <Failure text={message.error} retry={retry} />}
      {isRunning ? (
        <Waiting conversationId={conversationId} />
      ) : (
        <Foot message={message} conversationId={conversationId} />
      )}
    </article>
  );
});
