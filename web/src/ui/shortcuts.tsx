// The keyboard: one table that is both what works and what the dialog lists.

import { startNew } from "../state/conversations.ts";
import { stop } from "../state/answers.ts";
import { shownId } from "../state/conversations.ts";
import { Dialog } from "./dialog.tsx";
import { dialog, dialogClosed, drawer, focusComposer, togglePanel, toggleSidebar } from "./view.ts";

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
export const modifier = isApple ? "⌘" : "Ctrl";

interface Shortcut {
  keys: string[];
  does: string;
  matches?: (event: KeyboardEvent) => boolean;
  run?: () => void;
}

const withModifier = (event: KeyboardEvent, key: string, shift = false) =>
  (isApple ? event.metaKey : event.ctrlKey) &&
  !event.altKey &&
  event.shiftKey === shift &&
  event.key.toLowerCase() === key;

function escape(): void {
  if (drawer.value) drawer.value = null;
  else stop(shownId.value);
}

const shortcuts: Shortcut[] = [
  { keys: ["Enter"], does: "Send the message" },
  { keys: ["Shift", "Enter"], does: "New line" },
  { keys: ["↑"], does: "In an empty message: edit the last one" },
  {
    keys: ["Esc"],
    does: "Stop the answer",
    matches: (e) =>
      e.key === "Escape" && !e.defaultPrevented && !document.querySelector("dialog[open]"),
    run: escape,
  },
  {
    keys: [modifier, "Shift", "O"],
    does: "New chat",
    matches: (e) => withModifier(e, "o", true),
    run: () => (startNew(), focusComposer()),
  },
  {
    keys: ["Shift", "Esc"],
    does: "Write a message",
    matches: (e) => e.key === "Escape" && e.shiftKey,
    run: focusComposer,
  },
  {
    keys: [modifier, "B"],
    does: "Conversations",
    matches: (e) => withModifier(e, "b"),
    run: toggleSidebar,
  },
  {
    keys: [modifier, "J"],
    does: "Memory and speed",
    matches: (e) => withModifier(e, "j"),
    run: togglePanel,
  },
  {
    keys: [modifier, ","],
    does: "Settings",
    matches: (e) => withModifier(e, ","),
    run: () => void (dialog.value = "settings"),
  },
  {
    keys: [modifier, "/"],
    does: "This list",
    matches: (e) => withModifier(e, "/"),
    run: () => void (dialog.value = "shortcuts"),
  },
];

export function listenToKeys(): () => void {
  const listen = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const shortcut = shortcuts.findLast((s) => s.matches?.(event));
    if (!shortcut?.run) return;
    event.preventDefault();
    shortcut.run();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}

export function ShortcutsDialog() {
  return (
    <Dialog title="Keyboard" onClose={() => dialogClosed("shortcuts")} class="narrow">
      <dl class="shortcuts">
        {shortcuts.map(({ keys, does }) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
