// The page: conversations, the chat, memory and speed; dialogs and notices above them.

import { useLayoutEffect, useState } from "preact/hooks";
import { shown } from "../state/conversations.ts";
import { chosenModel, connection, models } from "../state/server.ts";
import { change } from "../state/settings.ts";
import { attach, Composer } from "./composer.tsx";
import { IconButton } from "./icons.tsx";
import { KeyDialog } from "./key_dialog.tsx";
import { Panel } from "./panel.tsx";
import { SettingsDialog } from "./settings_dialog.tsx";
import { listenToKeys, modifier, ShortcutsDialog } from "./shortcuts.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Thread } from "./thread.tsx";
import {
  announcement,
  dialog,
  drawer,
  isCompact,
  isNarrow,
  notice,
  panelIsShown,
  sidebarIsShown,
  togglePanel,
  toggleSidebar,
} from "./view.ts";

function ModelChoice() {
  if (models.value.length === 0)
    return <span class="model">{connection.value === "down" ? "Not connected" : ""}</span>;
  if (models.value.length === 1) return <span class="model">{models.value[0]}</span>;
  return (
    <select
      class="model"
      aria-label="Model"
      value={chosenModel.value}
      onChange={(event) => change({ model: event.currentTarget.value })}
    >
      {models.value.map((id) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </select>
  );
}

function TopBar() {
  const title = shown.value?.messages.length ? shown.value.title : "";
  return (
    <header class="top">
      {!sidebarIsShown.value && (
        <IconButton
          icon="menu"
          label="Show conversations"
          keys={`${modifier} B`}
          expanded={false}
          onClick={toggleSidebar}
        />
      )}
      <ModelChoice />
      {title ? <h1 class="top-title">{title}</h1> : <span class="spacer" />}
      {!panelIsShown.value && (
        <IconButton
          icon="gauge"
          label="Show memory and speed"
          keys={`${modifier} J`}
          expanded={false}
          onClick={togglePanel}
        />
      )}
    </header>
  );
}

function Chat() {
  const [isDropping, setDropping] = useState(false);
  return (
    <main
      class={isDropping ? "chat dropping" : "chat"}
      inert={drawer.value !== null && (isNarrow.value || isCompact.value)}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={(event) => event.currentTarget === event.target && setDropping(false)}
      onDrop={(event) => {
        event.preventDefault();
        setDropping(false);
        void attach([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <TopBar />
      <Thread />
      <Composer />
    </main>
  );
}

function NoticeBar() {
  if (!notice.value) return null;
  const { text, action } = notice.value;
  return (
    <div class="notice" role="status">
      <span>{text}</span>
      {action && (
        <button
          type="button"
          onClick={() => {
            action.run();
            notice.value = null;
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton icon="close" label="Dismiss" onClick={() => (notice.value = null)} />
    </div>
  );
}

export function App() {
  // Before the first paint: what is seen can be used.
  useLayoutEffect(listenToKeys, []);
  const hasScrim = drawer.value !== null && (isNarrow.value || isCompact.value);
  return (
    <div class="page">
      {sidebarIsShown.value && <Sidebar />}
      <Chat />
      {panelIsShown.value && <Panel />}
      {hasScrim && <div class="scrim" onClick={() => (drawer.value = null)} />}
      <NoticeBar />
      {dialog.value === "settings" && <SettingsDialog />}
      {dialog.value === "shortcuts" && <ShortcutsDialog />}
      {dialog.value === "key" && <KeyDialog />}
      <div class="sr" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}
