/**
 * The whole journal as a strip: the sequence diagram lying on its side. Time runs to the right, every message is a
 * stroke between the heights of its two lanes, commands and faults are marked on the upper edge. Where each stands, with
 * the cluster's start folded, is scale.js.
 */
import { effect } from "@preact/signals-core";
import { idly } from "../ahead.js";
import { scaleOf, timeScaleOf, zoomed } from "../scale.js";
import { familyOf } from "../shapes.js";

/** @typedef {import("../layout.js").Row} Row */

const TOP = 8;
const BOTTOM = 3;
/** Where more messages than this fall on one pixel, an even sample of them is drawn. */
const STROKES_PER_PIXEL_MAX = 4;
/** When more rows than this have come, the strip is drawn a frame after them; when fewer, its picture waits for an idle moment. */
const ROWS_AT_ONCE = 1000;
/** A picture of fewer rows is painted with each one that comes; of more, with each so many. */
const SHORT = 2000;
const STEP = 200;
/** By time the picture is painted again when it has grown by one part of so many. */
const GROWN_PARTS = 500;
const COLOURS = {
  request: "request",
  reply: "reply",
  refusal: "refusal",
  watch: "watch",
  call: "call",
  result: "call",
  stored: "stored",
  frame: "frame",
  tls: "tls",
  alert: "refusal",
  tcp: "tcp",
  lost: "refusal",
  note: "tls",
  command: "note",
  process: "note",
  fault: "refusal",
};

/** @typedef {{unfolded: import("@preact/signals-core").Signal<boolean>, zoom: import("@preact/signals-core").Signal<number>, byTime: import("@preact/signals-core").Signal<boolean>}} View  how the strip is looked at */

/** The strip's scale, and the steps of it in view. @param {import("../layout.js").Plan} plan @param {number} shown @param {View} view */
export function stripOf(plan, shown, view) {
  const folded = view.unfolded.value ? 0 : plan.boot;
  const scale = view.byTime.value ? timeScaleOf(plan.rows, folded) : scaleOf(plan.rows.length, folded);
  const behind = plan.rowsAt(shown);
  return { scale, behind, ...zoomed(scale.steps, scale.at(behind), view.zoom.value) };
}

export class Timeline {
  /** @param {HTMLCanvasElement} canvas @param {import("../store.js").Store} store @param {View} view */
  constructor(canvas, store, view) {
    this.canvas = canvas;
    this.view = view;
    this.store = store;
    this.frame = 0;
    this.picture = document.createElement("canvas");
    /** How the picture looks at the rows, and how much it shows. */
    this.look = "";
    this.grown = "";
    /** @type {import("../layout.js").Plan | null} */
    this.plan = null;
    /** How many rows there were when it was painted. */
    this.painted = 0;
    /** Was the drawing put off by a frame? */
    this.late = false;
    /** Does the picture wait for an idle moment? */
    this.waits = false;
    /** Kept, for to ask for it has the browser lay out what was drawn before. */
    this.size = { width: canvas.clientWidth, height: canvas.clientHeight };
  }

  /** Draw whenever what it shows has moved. Returns how to stop. */
  start() {
    const again = () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        const { rows } = this.store.picture.peek().plan;
        this.late = !this.late && rows.length - this.painted > ROWS_AT_ONCE;
        if (this.late) again();
        else this.draw();
      });
    };
    const recoloured = () => {
      this.look = "";
      again();
    };
    const size = new ResizeObserver(() => {
      this.size = { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
      again();
    });
    size.observe(this.canvas);
    const theme = new MutationObserver(recoloured);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", recoloured);
    const stop = effect(() => {
      void [this.store.picture.value, this.store.shown.value, this.view.unfolded.value, this.view.zoom.value, this.view.byTime.value];
      again();
    });
    return () => {
      stop();
      size.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", recoloured);
    };
  }

  draw() {
    const { canvas, store } = this;
    const ratio = devicePixelRatio || 1;
    const { width, height } = this.size;
    if (width === 0) return;
    const { plan } = store.picture.peek();
    const strip = stripOf(plan, store.shown.peek(), this.view);
    this.paint(width, height, ratio, strip);
    const [w, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== tall) Object.assign(canvas, { width: w, height: tall });
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const { scale, behind, from, to } = strip;
    const played = Math.round(to > from ? ((scale.at(behind) - from) / (to - from)) * w : 0);
    pen.clearRect(0, 0, w, tall);
    pen.globalAlpha = 1;
    if (played > 0) pen.drawImage(this.picture, 0, 0, played, tall, 0, 0, played, tall);
    pen.globalAlpha = 0.28;
    if (played < w) pen.drawImage(this.picture, played, 0, w - played, tall, played, 0, w - played, tall);
    pen.globalAlpha = 1;
    pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--ink");
    pen.fillRect(Math.min(w - 2 * ratio, Math.max(0, played - ratio)), 0, 2 * ratio, tall);
  }

  /** Have a picture of all rows in view; when there are only some more of them, soon. @param {number} width @param {number} height @param {number} ratio @param {ReturnType<typeof stripOf>} strip */
  paint(width, height, ratio, strip) {
    const { plan } = this.store.picture.peek();
    const { rows } = plan;
    const { scale, from, to } = strip;
    const { altitude, foldHeartbeats, participants, focus } = plan.options;
    const grown = this.view.byTime.peek()
      ? `time ${Math.round(GROWN_PARTS * Math.log1p(rows[rows.length - 1]?.time ?? 0))}`
      : `rows ${rows.length < SHORT ? rows.length : Math.round(rows.length / STEP) * STEP}`;
    const look = [
      width,
      height,
      ratio,
      scale.start > 0,
      this.view.byTime.peek(),
      from,
      to === scale.steps ? "end" : to,
      rows[0]?.seq,
      altitude,
      foldHeartbeats,
      plan.query.canonical,
      ...(participants ?? []),
      "|",
      ...(focus ?? []),
    ].join(" ");
    const isAnother = look !== this.look || plan !== this.plan;
    if (!isAnother && grown === this.grown) return;
    if (!isAnother && rows.length >= SHORT && rows.length - this.painted <= ROWS_AT_ONCE) return this.paintSoon();
    Object.assign(this, { look, grown, plan, painted: rows.length });
    this.paintRows(width, height, ratio, strip);
  }

  /** Have the picture painted anew when the browser has nothing else to do. */
  paintSoon() {
    if (this.waits) return;
    this.waits = true;
    idly(() => {
      this.waits = false;
      this.look = "";
      this.draw();
    });
  }

  /** Paint all rows in view. @param {number} width @param {number} height @param {number} ratio @param {ReturnType<typeof stripOf>} strip */
  paintRows(width, height, ratio, { scale, from, to }) {
    const { plan } = this.store.picture.peek();
    const { rows } = plan;
    Object.assign(this.picture, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const pen = /** @type {CanvasRenderingContext2D} */ (this.picture.getContext("2d"));
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    /** @type {Map<string, string>} */
    const colours = new Map(Object.entries(COLOURS).map(([family, name]) => [family, style.getPropertyValue(`--ink-${name}`)]));
    const pitch = width / Math.max(1, to - from);
    const x = (/** @type {number} */ index) => (scale.middle(index) - from) * pitch;
    const [first, end] = [scale.behind(from), scale.behind(to)];
    const step = Math.max(1, Math.floor((end - first) / (width * STROKES_PER_PIXEL_MAX)));
    if (scale.start > from) {
      pen.fillStyle = style.getPropertyValue("--ink");
      pen.globalAlpha = 0.08;
      pen.fillRect(0, 0, (scale.start - from) * pitch, height);
    }
    const lane = (height - TOP - BOTTOM) / Math.max(1, plan.lanes.drawn.length - 1);
    const thick = Math.max(0.8, Math.min(3, pitch * 0.65));
    pen.globalAlpha = pitch < 0.5 ? 0.5 : 0.9;
    for (let i = first; i < end; i += step) stroke(pen, rows[i], x(i), (index) => plan.lanes.list[index].slot * lane, thick, colours);
    pen.globalAlpha = 1;
    for (let i = first; i < end; i += 1) mark(pen, rows[i], x(i), style);
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Row} row @param {number} x @param {(index: number) => number} height @param {number} thick @param {Map<string, string>} colours */
function stroke(pen, row, x, height, thick, colours) {
  if (row.members) return;
  pen.fillStyle = /** @type {string} */ (colours.get(familyOf(row.entry)));
  const y = TOP + height(row.from);
  if (row.to < 0) return pen.fillRect(x - Math.max(1.2, thick / 2), y - 1.2, Math.max(2.4, thick), 2.4);
  const end = TOP + height(row.to);
  return pen.fillRect(x - thick / 2, Math.min(y, end), thick, Math.max(1.5, Math.abs(end - y)));
}

/** @param {CanvasRenderingContext2D} pen @param {Row} row @param {number} x @param {CSSStyleDeclaration} style */
function mark(pen, row, x, style) {
  if (row.to >= 0) return;
  const fault = row.entry.kind.startsWith("fault.");
  if (row.entry.kind !== "command.started" && !fault) return;
  pen.fillStyle = style.getPropertyValue(fault ? "--ink-refusal" : "--accent");
  pen.beginPath();
  pen.moveTo(x - 4, 0);
  pen.lineTo(x + 4, 0);
  pen.lineTo(x, 6);
  pen.fill();
}
