/** A bar between two panes that is dragged or moved by arrow keys; the size is kept in this browser. */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { keep, recall } from "../settings.js";
import { scale } from "../textsize.js";

/** In units of ten to the rem. */
const LIMITS = /** @type {const} */ ({
  lesson: { min: 280, max: 640, first: 380 },
  drawer: { min: 320, max: 900, first: 420 },
  state: { min: 320, max: 900, first: 460 },
  terminal: { min: 96, max: 620, first: 212 },
});
const KEY_STEP = 24;

/** `from`: whether the pane that is sized lies before the bar or behind it. @param {{app: import("../app.js").App, name: keyof typeof LIMITS, axis: "x" | "y", from?: "start" | "end"}} props */
export function Splitter({ app, name, axis, from = "end" }) {
  const limits = LIMITS[name];
  const sign = from === "end" ? 1 : -1;
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const apply = (/** @type {number} */ units) => {
    const size = Math.round(Math.max(limits.min, Math.min(limits.max, units)));
    document.documentElement.style.setProperty(`--${name}-size`, `${size / 10}rem`);
    ref.current?.setAttribute("aria-valuenow", String(size));
    keep(`${name}-size`, String(size));
  };
  const now = () => Number(ref.current?.getAttribute("aria-valuenow") ?? limits.first);
  useEffect(() => apply(Number(recall(`${name}-size`)) || limits.first), []);
  const onPointerDown = (/** @type {PointerEvent} */ event) => {
    const start = axis === "x" ? event.clientX : event.clientY;
    const before = now();
    const bar = /** @type {HTMLElement} */ (event.currentTarget);
    bar.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ next) =>
      apply(before + (sign * (start - (axis === "x" ? next.clientX : next.clientY))) / scale());
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const by = /** @type {Record<string, number>} */ (
      axis === "x" ? { ArrowLeft: KEY_STEP, ArrowRight: -KEY_STEP } : { ArrowUp: KEY_STEP, ArrowDown: -KEY_STEP }
    )[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    apply(now() + sign * by);
  };
  return h("div", {
    ref,
    class: `splitter ${axis} of-${name}`,
    role: "separator",
    tabIndex: 0,
    "aria-orientation": axis === "x" ? "vertical" : "horizontal",
    "aria-label": app.strings.t(`splitter.${name}`),
    "aria-valuemin": limits.min,
    "aria-valuemax": limits.max,
    "aria-valuenow": limits.first,
    onPointerDown,
    onKeyDown,
  });
}
