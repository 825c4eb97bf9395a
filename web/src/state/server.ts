// What the server says of itself: its models, and where it stands. The status is asked for again and again, less
// often while nobody looks.

import { computed, effect, signal } from "@preact/signals";
import { ApiError } from "../api/http.ts";
import { fetchModels } from "../api/models.ts";
import { fetchStatus, type ServerStatus } from "../api/status.ts";
import { apiKey, keyIsMissing } from "./api_key.ts";
import { settings } from "./settings.ts";

export const models = signal<string[]>([]);
export const connection = signal<"unknown" | "up" | "down">("unknown");
export const status = signal<ServerStatus | null>(null);
export const statusIsOffered = signal(true); // false: this server has no such address

/** The model that answers next; empty: whichever the server takes. */
export const chosenModel = computed(() => {
  const wanted = settings.value.model;
  return models.value.includes(wanted) ? wanted : (models.value[0] ?? "");
});

/** What the server says of the chosen model. */
export const chosenStatus = computed(
  () => status.value?.models?.find((m) => m.id === chosenModel.value) ?? null,
);

function note(error: unknown): void {
  if (!(error instanceof ApiError)) return;
  connection.value = error.status === 0 ? "down" : "up";
  if (error.status === 401) keyIsMissing.value = true;
}

export async function refreshModels(): Promise<void> {
  try {
    models.value = await fetchModels();
    connection.value = "up";
  } catch (error) {
    note(error);
  }
}

export async function refreshStatus(): Promise<void> {
  try {
    status.value = await fetchStatus();
    statusIsOffered.value = true;
    const wasDown = connection.value === "down";
    connection.value = "up";
    if (wasDown || models.value.length === 0) await refreshModels();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) statusIsOffered.value = false;
    note(error);
  }
}

const everyMs = { watched: 1000, unwatched: 5000, hidden: 30_000 };

/** Asks for the status from now on. */
export function watch(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pause = () => {
    if (document.hidden || !statusIsOffered.value || keyIsMissing.value) return everyMs.hidden;
    return settings.value.panelIsOpen ? everyMs.watched : everyMs.unwatched;
  };
  const round = async () => {
    clearTimeout(timer);
    if (!keyIsMissing.value) await refreshStatus();
    clearTimeout(timer);
    timer = setTimeout(() => void round(), pause());
  };
  document.addEventListener("visibilitychange", () => void (document.hidden || round()));
  effect(() => {
    void settings.value.panelIsOpen; // opened: figures at once
    void apiKey.value; // a new key: try it
    void round();
  });
  effect(() => {
    void apiKey.value;
    void refreshModels();
  });
}
