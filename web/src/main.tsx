// Starts the page: reads what the browser kept, asks the server what it has, draws.

import { render } from "preact";
import { effect } from "@preact/signals";
import { open, shown } from "./state/conversations.ts";
import { watch } from "./state/server.ts";
import { App } from "./ui/app.tsx";
import { focusComposer } from "./ui/view.ts";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/chat.css";
import "./styles/prose.css";
import "./styles/panel.css";
import "./styles/dialog.css";

await open();
watch();
render(<App />, document.getElementById("app")!);
focusComposer();
effect(() => {
  const { messages, title } = shown.value ?? { messages: [], title: "" };
  document.title = messages.length > 0 ? `${title} · Cistern` : "Cistern";
});
