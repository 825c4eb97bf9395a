// The conversations in the browser's IndexedDB. Where there is none (private windows of some browsers, storage
// switched off) everything works until the page is left.

import type { Conversation } from "./conversation.ts";

const store = "conversations";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("cistern", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

let database: Promise<IDBDatabase> | null = null;

async function run<T>(
  mode: IDBTransactionMode,
  act: (s: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  database ??= opened();
  const transaction = (await database).transaction(store, mode);
  return new Promise((resolve, reject) => {
    const request = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}

export const readAll = (): Promise<Conversation[]> => run("readonly", (s) => s.getAll());
export const write = (conversation: Conversation): Promise<unknown> =>
  run("readwrite", (s) => s.put(conversation));
export const erase = (id: string): Promise<unknown> => run("readwrite", (s) => s.delete(id));
