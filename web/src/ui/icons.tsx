// Line icons on a grid of 24, drawn in the colour of the text. They are decoration: what a button does stands in
// its label.

const paths = {
  attach:
    "M20 11.5l-8.1 8.1a5 5 0 0 1-7.1-7.1l8.5-8.4a3.3 3.3 0 0 1 4.7 4.7l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4l7.5-7.4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  down: "M12 5v14M6 13l6 6 6-6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  edit: "M4 20l1-4.5L16 4.5a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  gauge: "M4.5 18a9 9 0 1 1 15 0M12 14l4-4.5",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M17.5 10h.01M8 14.5h8",
  menu: "M4 5h16v14H4zM9.5 5v14",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  plus: "M12 5v14M5 12h14",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.3M20 4v5.3h-5.3",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  send: "M12 19V5M6 11l6-6 6 6",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8v4.4M9 14.8v4.4",
  stop: "M7 7h10v10H7z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4",
  system: "M3 5h18v11H3zM9 20h6M12 16v4",
  tool: "M14.5 6.5a4 4 0 0 1 5-1.5l-2.8 2.8 1.5 1.5L21 6.5a4 4 0 0 1-5.4 5L8 19a2.1 2.1 0 0 1-3-3l7.6-7.6a4 4 0 0 1 1.9-1.9z",
  trash: "M4.5 7h15M9.5 7V4h5v3M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
};

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class={`icon icon-${name}`}
      viewBox="0 0 24 24"
      width={size}
      height={size}
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The sign of Cistern: a vessel and its water. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg class="logo" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <path
        class="logo-water"
        d="M6 16c3.3-2.6 6.7-2.6 10 0s6.7 2.6 10 0v6a6 6 0 0 1-6 6h-8a6 6 0 0 1-6-6z"
      />
      <path class="logo-vessel" d="M6 5v17a6 6 0 0 0 6 6h8a6 6 0 0 0 6-6V5" />
    </svg>
  );
}

export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: () => void;
  keys?: string; // its shortcut, for the tooltip
  pressed?: boolean;
  expanded?: boolean;
  disabled?: boolean;
  class?: string;
}) {
  const { icon, label, onClick, keys, pressed, expanded, disabled } = props;
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ""}`}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      title={keys ? `${label} (${keys})` : label}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
