// Memory and speed of the chosen model: where its bytes are, how fast it answers beside what was forecast and
// what the machine can at most, what its cache holds and who waits.

import type { ComponentChildren } from "preact";
import type { ModelStatus } from "../api/status.ts";
import { chosenModel, chosenStatus, status, statusIsOffered } from "../state/server.ts";
import { bytes, count, figure, seconds, whole } from "./format.ts";
import { IconButton } from "./icons.tsx";
import { modifier } from "./shortcuts.tsx";
import { SpeedChart } from "./speed_chart.tsx";
import { StackedBar, type Part } from "./stacked_bar.tsx";
import { togglePanel } from "./view.ts";

function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: string;
  children: ComponentChildren;
}) {
  return (
    <section class="panel-section">
      <header>
        <h3>{title}</h3>
        {aside && <span class="aside">{aside}</span>}
      </header>
      {children}
    </section>
  );
}

function Speed({ model }: { model: ModelStatus }) {
  const { forecast, recent } = model;
  const now = recent?.decode_tok_s ?? null;
  const isBusy = (model.running ?? 0) > 0;
  const prefill = recent?.prefill_tok_s ?? null;
  const prefillForecast = forecast?.prefill_tok_s;
  return (
    <Section title="Speed" aside={now === null ? undefined : isBusy ? "now" : "last"}>
      <p class="big">
        {now === null ? "–" : figure(now)} <span>tok/s</span>
      </p>
      {forecast?.decode_tok_s && (
        <SpeedChart
          now={now}
          forecast={forecast.decode_tok_s}
          limit={forecast.limit_tok_s ?? null}
        />
      )}
      {(prefill !== null || prefillForecast) && (
        <dl class="figures">
          <div>
            <dt>Reading prompts</dt>
            <dd>{prefill === null ? "–" : `${figure(prefill)} tok/s`}</dd>
          </div>
          {prefillForecast && (
            <div>
              <dt>Its forecast</dt>
              <dd>
                {figure(prefillForecast.low)} to {figure(prefillForecast.high)}
              </dd>
            </div>
          )}
        </dl>
      )}
    </Section>
  );
}

function Memory({ plan }: { plan: NonNullable<ModelStatus["plan"]> }) {
  const { bytes: planned, budget_bytes: budget, tiers } = plan;
  if (!planned) return null;
  const parts: Part[] = [
    { name: "Weights", kind: "weights", amount: planned.weights },
    { name: "Keys and values", kind: "kv", amount: planned.kv },
    { name: "Buffers", kind: "buffers", amount: planned.buffers },
    { name: "Overhead", kind: "overhead", amount: planned.overhead },
  ];
  const free = (budget ?? 0) - planned.total;
  if (free > 0) parts.push({ name: "Free of the budget", kind: "free", amount: free });
  const aside = budget ? `${bytes(planned.total)} of ${bytes(budget)}` : bytes(planned.total);
  return (
    <Section title="Memory" aside={aside}>
      <StackedBar parts={parts} format={bytes} label="Memory by use" />
      {tiers && tiers.length > 1 && (
        <p class="tiers">
          Weights lie in {tiers.map((tier) => `${tier.name} ${bytes(tier.bytes)}`).join(", ")}
        </p>
      )}
    </Section>
  );
}

function Cache({ pages }: { pages: NonNullable<ModelStatus["kv_pages"]> }) {
  const parts: Part[] = [
    { name: "In use", kind: "used", amount: pages.used * pages.page_tokens },
    { name: "Kept for later", kind: "cached", amount: pages.cached * pages.page_tokens },
    {
      name: "Free",
      kind: "free",
      amount: Math.max(0, pages.all - pages.used - pages.cached) * pages.page_tokens,
    },
  ];
  return (
    <Section title="Context" aside={`${whole(pages.all * pages.page_tokens)} tokens`}>
      <StackedBar parts={parts} format={whole} label="Tokens in the cache of keys and values" />
    </Section>
  );
}

const mostSlots = 32; // beyond, figures say more than boxes

function Requests({ model }: { model: ModelStatus }) {
  const { running = 0, queued = 0, max_running: most = 0 } = model;
  const aside = `${running}${most > 0 ? ` of ${most}` : ""} running, ${queued} waiting`;
  return (
    <Section title="Requests" aside={aside}>
      {most > 0 && most <= mostSlots && (
        <div class="slots" aria-hidden="true">
          {Array.from({ length: most }, (_, i) => (
            <i key={i} class={i < running ? "taken" : ""} />
          ))}
        </div>
      )}
    </Section>
  );
}

function Totals({ totals }: { totals: NonNullable<ModelStatus["totals"]> }) {
  const prompt = totals.prompt_tokens + totals.reused_tokens;
  const reused = prompt > 0 ? Math.round((100 * totals.reused_tokens) / prompt) : 0;
  const rows: [string, string][] = [
    ["Requests", whole(totals.requests)],
    ["Tokens read", whole(totals.prompt_tokens)],
    ["Found in the cache", `${whole(totals.reused_tokens)} (${reused}%)`],
    ["Tokens written", whole(totals.generated_tokens)],
  ];
  return (
    <Section
      title="Since the start"
      aside={status.value?.uptime_s ? seconds(status.value.uptime_s) : undefined}
    >
      <dl class="figures">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

const verdicts = { fits: "Fits in memory", streams: "Streams from disk", refused: "Does not fit" };

function Model({ model }: { model: ModelStatus }) {
  const { plan } = model;
  return (
    <>
      <div class="panel-model">
        <span class="name">{model.id}</span>
        {model.loaded === false ? (
          <span class="badge">Not loaded</span>
        ) : (
          plan?.verdict && <span class={`badge ${plan.verdict}`}>{verdicts[plan.verdict]}</span>
        )}
      </div>
      <Speed model={model} />
      {plan && <Memory plan={plan} />}
      {model.kv_pages && <Cache pages={model.kv_pages} />}
      {model.running !== undefined && <Requests model={model} />}
      {model.totals && <Totals totals={model.totals} />}
    </>
  );
}

function Absent() {
  const others = status.value?.models?.length ?? 0;
  if (!statusIsOffered.value)
    return <p class="panel-empty">This server does not tell its figures.</p>;
  if (status.value === null) return <p class="panel-empty">Waiting for the server.</p>;
  return (
    <p class="panel-empty">
      {chosenModel.value || "This model"} is not loaded; it will be when it is asked.
      {others > 0 && ` ${count(others, "other model")} known.`}
    </p>
  );
}

export function Panel() {
  const model = chosenStatus.value;
  const version = status.value?.version;
  return (
    <aside class="panel" aria-label="Memory and speed">
      <header class="panel-head">
        <h2>Memory and speed</h2>
        <IconButton
          icon="close"
          label="Hide memory and speed"
          keys={`${modifier} J`}
          onClick={togglePanel}
        />
      </header>
      {model ? <Model model={model} /> : <Absent />}
      {version && <p class="version">Cistern {version}</p>}
    </aside>
  );
}
