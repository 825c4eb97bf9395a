// The key that the server asks for, where it does: kept for this tab, or on this device if the user says so.

import { signal } from "@preact/signals";

const name = "cistern.api_key";

function stored(): string {
  try {
    return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? "";
  } catch {
    return ""; // storage is off
  }
}

export const apiKey = signal(stored());

/** The server refused a request for want of a key: the page asks for one. */
export const keyIsMissing = signal(false);

export function setApiKey(key: string, remember: boolean): void {
  apiKey.value = key;
  keyIsMissing.value = false;
  try {
    sessionStorage.removeItem(name);
    localStorage.removeItem(name);
    if (key !== "") (remember ? localStorage : sessionStorage).setItem(name, key);
  } catch {
    // It is kept until the page is left.
  }
}
