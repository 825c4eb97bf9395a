// The looks of the page of plan_page, and its script. The colours of the memory bars are those of Okabe and
// Ito, which most colour-blind people tell apart; nothing is said by colour alone.
#pragma once

namespace cistern::tools {

inline constexpr char kPlanStyle[] = R"(:root {
  --bg: #fcfcfb; --fg: #1b2026; --soft: #545d68; --line: #dfe3e8; --free: #eceff2; --shade: #0003; --plot: #0072b2; --accent: #a04000;
  --fits: #00694d; --streams: #865200; --refused: #a8261c; --unknown: #545d68;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --bg: #11151a; --fg: #e4e8ec; --soft: #9ca7b3; --line: #2b333c; --free: #232a32; --shade: #fff3; --plot: #62b6e8; --accent: #f2a365;
    --fits: #55c9a4; --streams: #e9b44f; --refused: #ff9184; --unknown: #9ca7b3;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; color: var(--fg); background: var(--bg); font: 15px/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem 1rem 2rem }
h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 650; margin: 0 0 .75rem; letter-spacing: -.01em }
h2 { font-size: 1.15rem; line-height: 1.3; font-weight: 650; margin: 0 0 .75rem }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem }
p { margin: 0 0 .75rem }
small { display: block; font-size: .8rem; color: var(--soft); font-weight: 400 }
section { margin-top: 2.25rem; padding-top: 1rem; border-top: 1px solid var(--line) }
.over { margin: 0 0 .25rem; color: var(--soft); font-size: .85rem }
.soft, .none, .note, .axis, footer { color: var(--soft) }
.note, .axis, footer { font-size: .85rem }
.note { margin: .75rem 0; max-width: 65ch }
.fits { color: var(--fits) } .streams { color: var(--streams) }
.refused { color: var(--refused) } .unknown { color: var(--unknown) }

.facts { display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; margin: 0 }
.facts dt { font-size: .8rem; color: var(--soft) }
.facts dd { margin: 0 }

.verdict { color: var(--fg); border-top: 3px solid currentColor; margin-top: 1.5rem }
.verdict.fits { border-color: var(--fits) } .verdict.streams { border-color: var(--streams) }
.verdict.refused { border-color: var(--refused) }
.verdict h2 { font-size: 1.35rem; margin-bottom: .25rem }
.verdict h2 > span:last-child { font-weight: 400 }
.verdict p { max-width: 75ch }
.why { color: var(--soft) }
.badge { white-space: nowrap; font-weight: 600 }
.mark { width: .75em; height: .75em; margin-right: .4em }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.25rem, 1fr)); gap: 1rem; margin: 1rem 0 0 }
.tiles dt { font-size: .85rem; color: var(--soft) }
.tiles dd { margin: 0 }
.tiles b { font-size: 1.6rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em }

.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0 0 1rem; padding: 0; font-size: .85rem }
.legend svg { vertical-align: -2px; margin-right: .4rem }
.tier { margin-bottom: .75rem; break-inside: avoid }
.tier p { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: 0 }
.tier p b { font-weight: 600 }
.tier p span { color: var(--soft) }
svg { overflow: visible }
.patterns { position: absolute }
.bar { display: block; font-size: 12px }
.bar text { text-anchor: middle; pointer-events: none; stroke-width: 4px; paint-order: stroke; stroke-linejoin: round }
.bar g rect { stroke: var(--bg); stroke-width: 1 }
.free { fill: var(--free) }
rect.p-weights { fill: #0072b2 } text.p-weights { fill: #fff; stroke: #0072b2 }
rect.p-experts { fill: #7cc4ee } rect.hatched { fill: url(#hatch) }
text.p-experts { fill: #0a2233; stroke: #7cc4ee }
rect.p-kv { fill: #e69f00 } text.p-kv { fill: #221800; stroke: #e69f00 }
rect.p-buffers { fill: #009e73 } text.p-buffers { fill: #001f16; stroke: #009e73 }
rect.p-overhead { fill: #9aa2ab } text.p-overhead { fill: #14181c; stroke: #9aa2ab }
rect.over { fill: url(#cross); pointer-events: none } .over-line { stroke: var(--bg); stroke-opacity: .6 }
.capacity { stroke: var(--fg); stroke-width: 2 }

/* A shadow at each edge that hides something; the covers move with the content and uncover it. */
.scroll {
  overflow-x: auto; background:
    linear-gradient(to right, var(--bg) 40%, transparent) 0 0 / 2rem 100% local,
    linear-gradient(to left, var(--bg) 40%, transparent) 100% 0 / 2rem 100% local,
    linear-gradient(to right, var(--shade), transparent) 0 0 / .6rem 100%,
    linear-gradient(to left, var(--shade), transparent) 100% 0 / .6rem 100%;
  background-repeat: no-repeat;
}
.scroll:focus-visible, [role=button]:focus-visible { outline: 2px solid var(--plot); outline-offset: 1px }
table { border-collapse: collapse; width: 100%; font-size: .9rem; overflow-wrap: normal }
th, td { padding: .4rem .6rem; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--line) }
th { font-weight: 400 }
thead th { color: var(--soft); font-size: .8rem; vertical-align: bottom; border-bottom-color: var(--soft) }
.word, th:first-child { text-align: left }
th:first-child { padding-left: 0 }
tbody th { overflow-wrap: anywhere; min-width: 8rem }
td { white-space: nowrap }
td:last-child, th:last-child { padding-right: 0 }

.plot { padding: 8px 12px 26px 46px }
.plot svg { display: block }
.plot text { font-size: 12px; fill: var(--fg); unicode-bidi: isolate }
.plot .tick { fill: var(--soft) }
.axis { margin: 0 0 .25rem }
.under { text-align: center }
.grid { stroke: var(--line) }
.roof { stroke: var(--plot); stroke-width: 3; stroke-linecap: round }
.ridge, .gap { stroke: var(--soft); stroke-dasharray: 2 4 }
.leader { fill: none; stroke: var(--soft) }
.point circle, .point rect, .point > path:not(.leader), .key > * { fill: var(--accent); stroke: var(--bg); stroke-width: 1 }
.point text { stroke: var(--bg); stroke-width: 4px; paint-order: stroke; stroke-linejoin: round }
.key { width: 14px; height: 14px; vertical-align: -2px; margin-right: .5rem }

.range { display: block; min-width: 4rem }
.base { stroke: var(--line) }
.span { stroke: var(--plot); stroke-width: 6; stroke-opacity: .6 }
.middle { stroke: var(--fg); stroke-width: 2 }
.forecast td { white-space: normal }
.forecast b { white-space: nowrap }
.forecast td:last-child { width: 40%; vertical-align: middle; padding-left: 1rem }
.forecast thead th:last-child { text-align: left; padding-left: 1rem }
.drawn { min-width: 11rem; vertical-align: middle }
.ends { display: flex; justify-content: space-between; gap: .5rem }
.unconfirmed { display: inline-block; white-space: nowrap; border: 1px dashed var(--soft); border-radius: 3px; padding: 0 .3em; font-size: .75rem; color: var(--soft) }
.sortable [role=button] { cursor: pointer; text-decoration: underline dotted; text-underline-offset: 3px }
.sortable [aria-sort] [role=button] { color: var(--fg); font-weight: 600 }
.sortable [aria-sort="ascending"] [role=button]::after { content: " \2191" }
.sortable [aria-sort="descending"] [role=button]::after { content: " \2193" }
.sortable tr > :first-child { position: sticky; left: 0; background: var(--bg); z-index: 1; padding-right: .75rem }
.sortable tbody tr:hover > * { background: var(--free) }
.reasons { margin: 0; font-size: .9rem }
.reasons dt { font-weight: 600; margin-top: .5rem }
.reasons dd { margin: 0; color: var(--soft); max-width: 75ch }
footer { margin-top: 2.5rem }

.w { display: none }
@media (max-width: 500px) {
  table { font-size: .8rem }
  thead th, small { font-size: .75rem }
  th, td { padding: .35rem .3rem }
  tbody th { min-width: 5.5rem }
  .tiles b { font-size: 1.3rem }
  .forecast td:last-child { width: 27%; padding-left: .5rem }
}
@media (min-width: 700px) { .w { display: inline } main { padding: 2.5rem 2rem 3rem } }
@media (min-width: 1000px) {
  .columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 3rem }
  .sortable tbody th { min-width: 12rem }
}
@media print {
  @page { margin: 12mm }
  body { font-size: 10pt; background: none }
  main { max-width: none; padding: 0 }
  .scroll { overflow: visible; background: none }
  section { margin-top: 1.25rem }
  .sortable, .sortable small, .sortable thead th, .sortable .unconfirmed { font-size: 7.5pt }
  .sortable th, .sortable td { padding: .2rem .25rem }
  .sortable tr > :first-child { position: static; background: none }
  .sortable .drawn { display: none }
  .sortable [role=button] { text-decoration: none }
  tr, .plot, .tiles > div { break-inside: avoid }
  h2, h3, .axis, .legend { break-after: avoid }
}
)";

// Turns the headers of the sortable table into buttons; without scripts it is a table like others.
inline constexpr char kPlanScript[] = R"((() => {
  const order = (a, b, up) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const x = Number(a), y = Number(b);
    const by = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
    return up ? by : -by;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.dataset.first) return;
      // No <button>: on paper, those are missing where the header repeats.
      const button = document.createElement("span");
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const up = now ? now === "descending" : head.dataset.first === "up";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => order(a.cells[column].dataset.v, b.cells[column].dataset.v, up));
        table.tBodies[0].append(...rows);
      });
    });
  }
})();
)";

}  // namespace cistern::tools
