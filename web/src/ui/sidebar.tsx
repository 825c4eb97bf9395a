// The conversations of this browser, and what is done to all of them.

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { running, stop } from "../state/answers.ts";
import type { Conversation } from "../state/conversation.ts";
import { add, areKept, listed, remove, rename, shownId, startNew } from "../state/conversations.ts";
import { exported, imported, largestFileBytes } from "../state/exchange_file.ts";
import { Icon, IconButton, Logo } from "./icons.tsx";
import { modifier } from "./shortcuts.tsx";
import { announce, dialog, drawer, focusComposer, notify, toggleSidebar } from "./view.ts";

const wanted = signal(""); // what is searched for
const searchFrom = 6; // so many conversations are seen at a glance

function matching(conversations: Conversation[], text: string): Conversation[] {
  const needle = text.trim().toLowerCase();
  if (needle === "") return conversations;
  return conversations.filter(
    ({ title, messages }) =>
      title.toLowerCase().includes(needle) ||
      messages.some(({ content }) => content.toLowerCase().includes(needle)),
  );
}

const dayMs = 86_400_000;

function age(updated: number): string {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (updated >= midnight) return "Today";
  if (updated >= midnight - dayMs) return "Yesterday";
  if (updated >= midnight - 6 * dayMs) return "Last 7 days";
  return "Earlier";
}

function show(id: string): void {
  shownId.value = id;
  drawer.value = null;
  focusComposer();
}

function removeOne({ id, title }: Conversation): void {
  stop(id);
  const restore = remove([id]);
  announce(`Deleted ${title}`);
  notify({ text: `Deleted “${title}”`, action: { label: "Undo", run: restore } });
}

function Renaming({ conversation, done }: { conversation: Conversation; done: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.select(), []);
  const finish = (isWanted: boolean) => {
    if (isWanted && input.current) rename(conversation.id, input.current.value);
    done();
  };
  return (
    <input
      ref={input}
      class="rename"
      aria-label="Title"
      defaultValue={conversation.title}
      onBlur={() => finish(true)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== "Escape") return;
        event.preventDefault();
        finish(event.key === "Enter");
      }}
    />
  );
}

function Item({ conversation }: { conversation: Conversation }) {
  const [isRenamed, setRenamed] = useState(false);
  const { id, title } = conversation;
  const isShown = id === shownId.value;
  if (isRenamed)
    return (
      <li>
        <Renaming conversation={conversation} done={() => setRenamed(false)} />
      </li>
    );
  return (
    <li class={isShown ? "shown" : ""}>
      <button
        type="button"
        class="item"
        aria-current={isShown ? "page" : undefined}
        onClick={() => show(id)}
      >
        {running.value.has(id) && <span class="pulse" role="img" aria-label="being answered" />}
        <span class="item-title">{title}</span>
      </button>
      <span class="item-actions">
        <IconButton icon="edit" label={`Rename ${title}`} onClick={() => setRenamed(true)} />
        <IconButton
          icon="trash"
          label={`Delete ${title}`}
          onClick={() => removeOne(conversation)}
        />
      </span>
    </li>
  );
}

function List() {
  const found = matching(listed.value, wanted.value);
  const groups = [...new Set(found.map((c) => age(c.updated)))];
  if (listed.value.length === 0)
    return <p class="sidebar-empty">Your conversations will be listed here.</p>;
  if (found.length === 0) return <p class="sidebar-empty">Nothing found.</p>;
  return (
    <>
      {groups.map((group) => (
        <section key={group}>
          <h2>{group}</h2>
          <ul>
            {found
              .filter((c) => age(c.updated) === group)
              .map((c) => (
                <Item key={c.id} conversation={c} />
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function download(): void {
  const address = URL.createObjectURL(
    new Blob([exported(listed.value)], { type: "application/json" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = `cistern-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function upload(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    if (file.size > largestFileBytes) throw new Error("The file is larger than 64 MB.");
    const more = imported(await file.text());
    add(more);
    notify({ text: `${more.length} imported` });
  } catch (error) {
    notify({ text: error instanceof Error ? error.message : String(error) });
  }
}

function Footer() {
  const file = useRef<HTMLInputElement>(null);
  return (
    <footer class="sidebar-foot">
      {!areKept.value && (
        <p class="warning">This browser does not keep conversations: they end with this tab.</p>
      )}
      <div class="row">
        <button type="button" class="quiet" onClick={() => (dialog.value = "settings")}>
          <Icon name="settings" />
          Settings
        </button>
        <span class="spacer" />
        <IconButton
          icon="upload"
          label="Import conversations"
          onClick={() => file.current?.click()}
        />
        <IconButton
          icon="download"
          label="Export all conversations"
          disabled={listed.value.length === 0}
          onClick={download}
        />
        <IconButton
          icon="keyboard"
          label="Keyboard shortcuts"
          keys={`${modifier} /`}
          onClick={() => (dialog.value = "shortcuts")}
        />
      </div>
      <input
        ref={file}
        type="file"
        class="sr"
        tabIndex={-1}
        aria-label="File with conversations"
        accept="application/json,.json"
        onChange={(event) => {
          void upload(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
    </footer>
  );
}

export function Sidebar() {
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="sidebar-head">
        <Logo />
        <span class="wordmark">Cistern</span>
        <span class="spacer" />
        <IconButton
          icon="menu"
          label="Hide conversations"
          keys={`${modifier} B`}
          onClick={toggleSidebar}
        />
      </header>
      <button
        type="button"
        class="button new-chat"
        title={`New chat (${modifier} Shift O)`}
        onClick={() => {
          startNew();
          drawer.value = null;
          focusComposer();
        }}
      >
        <Icon name="plus" />
        New chat
      </button>
      {listed.value.length >= searchFrom && (
        <label class="search">
          <Icon name="search" size={16} />
          <input
            type="search"
            placeholder="Search"
            aria-label="Search conversations"
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </label>
      )}
      <div class="sidebar-list">
        <List />
      </div>
      <Footer />
    </nav>
  );
}
