// All conversations of this browser, which of them is shown, and what the user does to them. What changes is
// written to the database at once, or after a pause while much changes, and other tabs are told.

import { computed, signal } from "@preact/signals";
import { newConversation, type Conversation } from "./conversation.ts";
import * as database from "./database.ts";

export const conversations = signal<ReadonlyMap<string, Conversation>>(new Map());
export const shownId = signal("");
export const areKept = signal(true); // false: the browser does not let the page store anything

export const shown = computed(() => conversations.value.get(shownId.value) ?? null);

/** Newest first; those without messages are not listed. */
export const listed = computed(() =>
  [...conversations.value.values()]
    .filter((c) => c.messages.length > 0)
    .sort((a, b) => b.updated - a.updated),
);

const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("cistern") : null;
const waiting = new Set<string>();
let pause: ReturnType<typeof setTimeout> | undefined;
const pauseMs = 500; // between two writes: an answer that streams changes many times a second

async function store(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch {
    areKept.value = false;
  }
}

/** Writes what has changed. */
export async function flush(): Promise<void> {
  clearTimeout(pause);
  pause = setTimeout(() => {
    pause = undefined;
    if (waiting.size > 0) void flush();
  }, pauseMs);
  const ids = [...waiting];
  waiting.clear();
  for (const id of ids) {
    const conversation = conversations.value.get(id);
    if (!conversation || conversation.messages.length === 0) continue;
    await store(() => database.write(conversation));
    tabs?.postMessage(conversation);
  }
}

function replace(changed: Conversation[], removed: string[] = []): void {
  const next = new Map(conversations.value);
  for (const conversation of changed) next.set(conversation.id, conversation);
  for (const id of removed) next.delete(id);
  conversations.value = next;
}

export function put(conversation: Conversation): void {
  replace([conversation]);
  waiting.add(conversation.id);
  if (pause === undefined) void flush();
}

/** Shows an empty conversation: the one that is there, or a new one. */
export function startNew(): void {
  const empty = [...conversations.value.values()].find((c) => c.messages.length === 0);
  const conversation = empty ?? newConversation(Date.now());
  if (!empty) replace([conversation]);
  shownId.value = conversation.id;
}

export function rename(id: string, title: string): void {
  const conversation = conversations.value.get(id);
  const given = title.trim().slice(0, 200);
  if (conversation && given !== "") add([{ ...conversation, title: given, titleIsGiven: true }]);
}

/** Removes conversations and returns what puts them back. */
export function remove(ids: string[]): () => void {
  const gone = ids.flatMap((id) => conversations.value.get(id) ?? []);
  replace([], ids);
  if (!conversations.value.has(shownId.value)) startNew();
  for (const id of ids) {
    waiting.delete(id);
    void store(() => database.erase(id));
    tabs?.postMessage(id);
  }
  return () => add(gone);
}

/** Puts conversations there on the user's word: written at once. */
export function add(more: Conversation[]): void {
  more.forEach(put);
  void flush();
}

/** The page's own address: it names the conversation, so that a reload shows it again. */
const address = computed(() =>
  shown.value && shown.value.messages.length > 0 ? `#${shown.value.id}` : location.pathname,
);

/** Reads the database and shows the conversation that the address names, or an empty one. */
export async function open(): Promise<void> {
  await store(async () => replace(await database.readAll()));
  const named = location.hash.slice(1);
  if (conversations.value.has(named)) shownId.value = named;
  else startNew();
  address.subscribe((next) => history.replaceState(null, "", next));
  addEventListener("hashchange", () => {
    const id = location.hash.slice(1);
    if (conversations.value.has(id)) shownId.value = id;
  });
  addEventListener("pagehide", () => void flush());
  tabs?.addEventListener("message", ({ data }: MessageEvent<Conversation | string>) => {
    if (typeof data === "string") {
      replace([], [data]);
      if (!conversations.value.has(shownId.value)) startNew();
    } else {
      replace([data]);
    }
  });
}
