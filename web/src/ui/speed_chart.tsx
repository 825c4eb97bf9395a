// A speed beside its forecast and its limit: a bar for what is, a band for what was foretold, a line for what
// the machine's bandwidth allows at most.

import type { Interval } from "../api/status.ts";
import { figure } from "./format.ts";

const width = 280;
const height = 26;

export function SpeedChart(props: {
  now: number | null;
  forecast: Interval;
  limit: number | null;
}) {
  const { now, forecast, limit } = props;
  const end = Math.max(limit ?? 0, forecast.high, now ?? 0) * 1.06 || 1;
  const x = (value: number) => Math.max(0, (width * value) / end);
  const said = [
    now === null ? "" : `${figure(now)} tokens per second.`,
    `Forecast ${figure(forecast.low)} to ${figure(forecast.high)}.`,
    limit === null ? "" : `Limit ${figure(limit)}.`,
  ].join(" ");
  return (
    <figure class="speed">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={said}
        preserveAspectRatio="none"
      >
        <rect class="track" x="0" y="3" width={width} height="20" rx="4" />
        <rect
          class="forecast"
          x={x(forecast.low)}
          y="3"
          width={Math.max(2, x(forecast.high) - x(forecast.low))}
          height="20"
        />
        {now !== null && <rect class="now" x="0" y="9" width={x(now)} height="8" rx="2" />}
        <line class="mid" x1={x(forecast.mid)} x2={x(forecast.mid)} y1="3" y2="23" />
        {limit !== null && <line class="limit" x1={x(limit)} x2={x(limit)} y1="0" y2={height} />}
      </svg>
      <dl class="legend" aria-hidden="true">
        <div>
          <dt>
            <i class="swatch forecast" />
            Forecast
          </dt>
          <dd>
            {figure(forecast.low)} to {figure(forecast.high)}
          </dd>
        </div>
        {limit !== null && (
          <div>
            <dt>
              <i class="swatch limit" />
              Limit of the machine
            </dt>
            <dd>{figure(limit)}</dd>
          </div>
        )}
      </dl>
    </figure>
  );
}
