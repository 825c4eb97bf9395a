// What is open on the screen, what is said to those who do not see it, and the short notices at its edge.

import { computed, effect, signal } from "@preact/signals";
import { keyIsMissing } from "../state/api_key.ts";
import { change, settings } from "../state/settings.ts";

type DialogName = "settings" | "shortcuts" | "key";
export const dialog = signal<DialogName | null>(null);

/** The browser tells of a dialog that closed a moment later: another one may be open by then. */
export function dialogClosed(name: DialogName): void {
  if (dialog.value === name) dialog.value = null;
}
export const drawer = signal<"sidebar" | "panel" | null>(null); // where there is no room beside the chat

function matches(query: string) {
  const list = matchMedia(query);
  const result = signal(list.matches);
  list.addEventListener("change", () => (result.value = list.matches));
  return result;
}

export const isNarrow = matches("(max-width: 820px)"); // no room for the sidebar
export const isCompact = matches("(max-width: 1180px)"); // no room for the panel

export const sidebarIsShown = computed(() =>
  isNarrow.value ? drawer.value === "sidebar" : settings.value.sidebarIsOpen,
);
export const panelIsShown = computed(() =>
  isCompact.value ? drawer.value === "panel" : settings.value.panelIsOpen,
);

export function toggleSidebar(): void {
  if (isNarrow.value) drawer.value = drawer.value === "sidebar" ? null : "sidebar";
  else change({ sidebarIsOpen: !settings.value.sidebarIsOpen });
}

export function togglePanel(): void {
  if (isCompact.value) drawer.value = drawer.value === "panel" ? null : "panel";
  else change({ panelIsOpen: !settings.value.panelIsOpen });
}

export const announcement = signal("");

/** Has a screen reader say something when it has finished what it says. */
export function announce(text: string): void {
  announcement.value = "";
  setTimeout(() => (announcement.value = text), 50);
}

export interface Notice {
  text: string;
  action?: { label: string; run: () => void };
}

export const notice = signal<Notice | null>(null);
const noticeMs = 8000;
let noticeTimer: ReturnType<typeof setTimeout> | undefined;

export function notify(next: Notice): void {
  notice.value = next;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.value = null), noticeMs);
}

/** Puts the caret where the next message is written. */
export const composerFocus = signal(0);
export const focusComposer = (): void => void composerFocus.value++;

/** A message that is to be edited, asked for from outside of it. */
export const editing = signal<string | null>(null);

effect(() => {
  const { theme } = settings.value;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
});

effect(() => {
  if (keyIsMissing.value) dialog.value = "key";
});

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
    return true;
  } catch {
    notify({ text: "The browser did not let this page copy." });
    return false;
  }
}
