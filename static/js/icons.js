/** Line icons on a 24 × 24 grid, one path each, drawn with the current colour. */
import { h } from "preact";

/** @type {Record<string, string>} */
export const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  forward: "M6 5l9 7-9 7zM19 5v14",
  back: "M18 5l-9 7 9 7zM5 5v14",
  start: "M19 5l-7 7 7 7M12 5l-7 7 7 7",
  live: "M5 5l7 7-7 7M12 5l7 7-7 7",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  half: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h7.5M12 12h9M12 16h7.8",
  help: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.3a2.6 2.6 0 1 1 3.6 2.5c-.8.4-1.1.9-1.1 1.7M12 16.8v.1",
  keyboard: "M3 6h18v12H3zM7 10h.1M11 10h.1M15 10h.1M7.5 14h9",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  terminal: "M4 5h16v14H4zM7.5 9.5l3 2.5-3 2.5M12.5 15h4",
  prompt: "M5 6l7 6-7 6M13 18h7",
  down: "M6 9l6 6 6-6",
  up: "M6 15l6-6 6 6",
  right: "M9 6l6 6-6 6",
  left: "M15 6l-6 6 6 6",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  pulse: "M3 12h4l2.5-7 5 14 2.5-7h4",
  globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 2.5 4 5.5 4 9s-1 6.5-4 9c-3-2.5-4-5.5-4-9s1-6.5 4-9z",
  cog: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 2.5v4M12 17.5v4M2.5 12h4M17.5 12h4M5.3 5.3l2.8 2.8M15.9 15.9l2.8 2.8M5.3 18.7l2.8-2.8M15.9 8.1l2.8-2.8",
  bolt: "M13 2.5L5 14h6l-1 7.5L19 10h-6.5z",
  plug: "M9 3v5M15 3v5M6.5 8h11v3a5.5 5.5 0 0 1-11 0zM12 16.5V21",
  cylinder: "M5 6c0-1.7 3.1-3 7-3s7 1.3 7 3-3.1 3-7 3-7-1.3-7-3zM5 6v12c0 1.7 3.1 3 7 3s7-1.3 7-3V6M5 12c0 1.7 3.1 3 7 3s7-1.3 7-3",
  layers: "M12 3l9 5-9 5-9-5zM3 13l9 5 9-5",
  warning: "M12 3.5l9.5 17h-19zM12 10v5M12 17.5v.1",
  power: "M12 3v9M7 6.5a8 8 0 1 0 10 0",
  why: "M6 4v7a4 4 0 0 0 4 4h9M15 11l4 4-4 4M6 4a.1.1 0 1 0 .1 0",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7l-1.5 1.5M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7l1.5-1.5",
  enter: "M20 5v7a3 3 0 0 1-3 3H5M9 11l-4 4 4 4",
  stop: "M6 6h12v12H6z",
  filter: "M4 5h16l-6.5 7.5V20l-3-1.5v-6z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  dots: "M5 12h.1M12 12h.1M19 12h.1",
  unfold: "M7 9l5-5 5 5M7 15l5 5 5-5",
  fold: "M7 4l5 5 5-5M7 20l5-5 5 5",
  users:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M15.5 5.2a3.5 3.5 0 0 1 0 6.6M18 14.9c2 .8 3.2 2.5 3.5 5.1",
  hand: "M7 12V6.5a1.5 1.5 0 0 1 3 0V11M10 10.5V4.5a1.5 1.5 0 0 1 3 0V11M13 10.5V5.5a1.5 1.5 0 0 1 3 0V12M16 9.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-3 0-4.5-1.3-6-4l-2-3.5a1.5 1.5 0 0 1 2.6-1.5L7 13.5",
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h3v3h-3zM20 14v.1M17 20h.1M20 17.5V20",
  expand: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
};

/** @param {{name: string, size?: number, class?: string}} props */
export function Icon({ name, size = 18, class: className }) {
  return h(
    "svg",
    { class: `icon ${className ?? ""}`, width: size, height: size, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    h("path", { d: ICONS[name] }),
  );
}
