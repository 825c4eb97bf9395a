// The messages of the conversation that is shown. Follows an answer as it grows, unless the reader has scrolled
// up to read.

import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { running } from "../state/answers.ts";
import type { Conversation } from "../state/conversation.ts";
import { shown } from "../state/conversations.ts";
import { chosenModel, chosenStatus, connection } from "../state/server.ts";
import { Answer } from "./answer.tsx";
import { bytes, figure, whole } from "./format.ts";
import { Icon, Logo } from "./icons.tsx";
import { Question } from "./question.tsx";
import { announce, editing } from "./view.ts";

const nearPx = 60; // from the end: still following
const isFollowing = signal(true);

/** What is known before the first word: which model, how it lies in memory, how fast it should be. */
function Facts() {
  const status = chosenStatus.value;
  const plan = status?.plan;
  const speed = status?.forecast?.decode_tok_s;
  const where = plan?.verdict === "streams" ? "streamed from disk" : "in memory";
  const facts = [
    plan?.bytes && `${bytes(plan.bytes.total)} ${where}`,
    plan?.context_tokens && `${whole(plan.context_tokens)} tokens of context`,
    speed && `${figure(speed.low)} to ${figure(speed.high)} tok/s expected`,
  ].filter(Boolean);
  return (
    <p>
      {facts.length > 0
        ? facts.join(" · ")
        : "Everything stays on the machine that serves this page."}
    </p>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <Logo size={56} />
      <h1>
        {connection.value === "down"
          ? "The server does not answer"
          : chosenModel.value || "Cistern"}
      </h1>
      {connection.value === "down" ? <p>This page tries again until it does.</p> : <Facts />}
    </div>
  );
}

/** Tells those who cannot see it that an answer has begun and what it says once it is complete. */
function useAnnouncements(conversation: Conversation | null, isRunning: boolean): void {
  const before = useRef({ id: "", isRunning: false });
  useEffect(() => {
    const last = conversation?.messages.at(-1);
    const was = before.current;
    before.current = { id: conversation?.id ?? "", isRunning };
    if (!last || was.id !== conversation?.id || was.isRunning === isRunning) return;
    if (isRunning) announce("The answer is being written.");
    else if (!last.error) announce(`Answer: ${last.content.slice(0, 1500)}`);
  }, [conversation, isRunning]);
}

/** Keeps the end in sight while `isFollowing`. */
function useFollowing(conversation: Conversation | null) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const toEnd = () => {
    const element = scroller.current;
    if (element && isFollowing.value) element.scrollTop = element.scrollHeight;
  };
  const last = conversation?.messages.at(-1)?.id;
  useLayoutEffect(() => {
    isFollowing.value = true;
    toEnd();
  }, [conversation?.id, last]);
  useEffect(() => {
    const observer = new ResizeObserver(toEnd);
    observer.observe(content.current!);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current!;
    isFollowing.value = scrollHeight - scrollTop - clientHeight < nearPx;
  };
  return { scroller, content, onScroll };
}

function Messages({ conversation, isRunning }: { conversation: Conversation; isRunning: boolean }) {
  const { id, messages } = conversation;
  return (
    <>
      {messages.map((message, i) =>
        message.role === "user" ? (
          <Question
            key={message.id}
            message={message}
            conversationId={id}
            isEdited={editing.value === message.id}
            isBusy={isRunning}
          />
        ) : (
          <Answer
            key={message.id}
            message={message}
            conversationId={id}
            isRunning={isRunning && i === messages.length - 1}
          />
        ),
      )}
    </>
  );
}

export function Thread() {
  const conversation = shown.value;
  const isRunning = conversation !== null && running.value.has(conversation.id);
  const { scroller, content, onScroll } = useFollowing(conversation);
  useAnnouncements(conversation, isRunning);
  const isEmpty = !conversation || conversation.messages.length === 0;
  return (
    <div class="thread-frame">
      <div
        class="thread"
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label="Conversation"
        aria-busy={isRunning}
      >
        <div class={isEmpty ? "thread-content empty" : "thread-content"} ref={content}>
          {isEmpty ? <Welcome /> : <Messages conversation={conversation} isRunning={isRunning} />}
        </div>
      </div>
      {!isFollowing.value && (
        <button
          type="button"
          class="to-end"
          aria-label="To the end"
          onClick={() => {
            isFollowing.value = true;
            scroller.current?.scrollTo({ top: scroller.current.scrollHeight, behavior: "smooth" });
          }}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
