// Settings: how answers are sampled, what the model is told before every conversation, and how the page looks.

import { useId } from "preact/hooks";
import {
  change,
  complaint,
  defaults,
  numberFields,
  schemaComplaint,
  settings,
  type NumberField,
  type Settings,
} from "../state/settings.ts";
import { Dialog } from "./dialog.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { dialog, dialogClosed } from "./view.ts";

function NumberInput({ field }: { field: NumberField }) {
  const id = useId();
  const typed = settings.value[field.key];
  const wrong = complaint(field, typed);
  return (
    <div class="field">
      <label for={id}>{field.label}</label>
      <input
        id={id}
        inputMode={field.isWhole ? "numeric" : "decimal"}
        autocomplete="off"
        placeholder={field.unset}
        value={typed}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-hint`}
        onInput={(event) => change({ [field.key]: event.currentTarget.value })}
      />
      <small id={`${id}-hint`} class={wrong ? "wrong" : ""}>
        {wrong ?? field.hint}
      </small>
    </div>
  );
}

const efforts: [Settings["reasoningEffort"], string][] = [
  ["", "Model's own"],
  ["none", "None"],
  ["low", "Low"],
  ["medium", "Medium"],
  ["high", "High"],
];

function Effort() {
  return (
    <label class="field wide">
      <span>Reasoning</span>
      <select
        value={settings.value.reasoningEffort}
        onChange={(event) =>
          change({ reasoningEffort: event.currentTarget.value as Settings["reasoningEffort"] })
        }
      >
        {efforts.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <small>how much a model thinks before it answers, where it can</small>
    </label>
  );
}

const themes: [Settings["theme"], string, IconName][] = [
  ["system", "System", "system"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

function Themes() {
  return (
    <fieldset class="segments">
      <legend>Appearance</legend>
      {themes.map(([value, label, icon]) => (
        <label key={value}>
          <input
            type="radio"
            name="theme"
            checked={settings.value.theme === value}
            onChange={() => change({ theme: value })}
          />
          <span>
            <Icon name={icon} size={16} />
            {label}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Schema() {
  const wrong = schemaComplaint(settings.value.schema);
  return (
    <label class="field wide">
      <span>Answer as JSON</span>
      <textarea
        rows={3}
        class="mono"
        spellcheck={false}
        placeholder='{"type": "object", "properties": …}'
        value={settings.value.schema}
        aria-invalid={wrong !== null}
        onInput={(event) => change({ schema: event.currentTarget.value })}
      />
      <small class={wrong ? "wrong" : ""}>
        {wrong ?? "a JSON Schema that every answer has to meet; empty: free text"}
      </small>
    </label>
  );
}

function reset(): void {
  const { theme, panelIsOpen, sidebarIsOpen, model } = settings.value;
  change({ ...defaults, theme, panelIsOpen, sidebarIsOpen, model });
}

export function SettingsDialog() {
  return (
    <Dialog title="Settings" onClose={() => dialogClosed("settings")}>
      <Themes />
      <label class="field wide">
        <span>System prompt</span>
        <textarea
          rows={3}
          placeholder="What the model is told before every conversation"
          value={settings.value.system}
          onInput={(event) => change({ system: event.currentTarget.value })}
        />
      </label>
      <div class="fields">
        {numberFields.map((field) => (
          <NumberInput key={field.key} field={field} />
        ))}
      </div>
      <Effort />
      <Schema />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => (dialog.value = "key")}>
          API key…
        </button>
        <button type="button" class="button" onClick={reset}>
          Back to the model's own
        </button>
      </div>
    </Dialog>
  );
}
