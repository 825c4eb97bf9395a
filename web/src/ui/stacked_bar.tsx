// Parts of a whole as one bar, with a legend that says the same in figures.

export interface Part {
  name: string;
  kind: "weights" | "kv" | "buffers" | "overhead" | "used" | "cached" | "free";
  amount: number;
}

export function StackedBar(props: {
  parts: Part[];
  format: (amount: number) => string;
  label: string;
}) {
  const { parts, format, label } = props;
  const whole = parts.reduce((sum, part) => sum + part.amount, 0) || 1;
  return (
    <figure class="stacked" aria-label={label}>
      <div class="bar" aria-hidden="true">
        {parts.map(({ kind, amount }) => (
          <i
            key={kind}
            class={`part ${kind}`}
            style={{ flexGrow: amount / whole }}
            hidden={amount <= 0}
          />
        ))}
      </div>
      <dl class="legend">
        {parts.map(({ name, kind, amount }) => (
          <div key={kind}>
            <dt>
              <i class={`swatch ${kind}`} aria-hidden="true" />
              {name}
            </dt>
            <dd>{format(amount)}</dd>
          </div>
        ))}
      </dl>
    </figure>
  );
}
