// Asks for the API key of a server that wants one.

import { useState } from "preact/hooks";
import { apiKey, keyIsMissing, setApiKey } from "../state/api_key.ts";
import { Dialog } from "./dialog.tsx";
import { dialogClosed, focusComposer } from "./view.ts";

export function KeyDialog() {
  const [key, setKey] = useState(apiKey.value);
  const [remember, setRemember] = useState(false);
  const close = () => dialogClosed("key");
  const submit = (event: Event) => {
    event.preventDefault();
    setApiKey(key.trim(), remember);
    close();
    focusComposer();
  };
  return (
    <Dialog title="API key" onClose={close} class="narrow">
      <form onSubmit={submit}>
        <p class="lead">
          {keyIsMissing.value
            ? "This server answers only those who have its key: the one it was started with."
            : "Sent to this server with every request, and to nobody else."}
        </p>
        <label class="field">
          <span>Key</span>
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            autofocus
          />
        </label>
        <label class="choice">
          <input
            type="checkbox"
            checked={remember}
            onChange={(event) => setRemember(event.currentTarget.checked)}
          />
          <span>Keep it on this device; otherwise until this tab is closed</span>
        </label>
        <div class="dialog-actions">
          <button type="submit" class="button primary">
            Use this key
          </button>
        </div>
      </form>
    </Dialog>
  );
}
