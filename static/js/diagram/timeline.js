/**
 * The whole journal as a strip: the sequence diagram lying on its side. Time runs to the right, every message is a
 * stroke between the heights of its two lanes, commands and faults are marked on the upper edge.
 */
import { effect } from "@preact/signals-core";
import { familyOf } from "../shapes.js";

/** @typedef {import("../layout.js").Row} Row */

const TOP = 8;
const BOTTOM = 3;
/** Where more messages than this fall on one pixel, an even sample of them is drawn. */
const STROKES_PER_PIXEL_MAX = 4;
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

export class Timeline {
  /** @param {HTMLCanvasElement} canvas @param {import("../store.js").Store} store */
  constructor(canvas, store) {
    this.canvas = canvas;
    this.store = store;
    this.frame = 0;
    this.picture = document.createElement("canvas");
    this.key = "";
  }

  /** Draw whenever what it shows has moved. Returns how to stop. */
  start() {
    const again = () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    };
    const recoloured = () => {
      this.key = "";
      again();
    };
    const size = new ResizeObserver(again);
    size.observe(this.canvas);
    const theme = new MutationObserver(recoloured);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", recoloured);
    const stop = effect(() => {
      void [this.store.picture.value, this.store.shown.value];
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
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const { plan } = store.picture.peek();
    this.paint(width, height, ratio);
    const [w, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== tall) Object.assign(canvas, { width: w, height: tall });
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const played = Math.round(plan.rows.length ? (plan.rowsAt(store.shown.peek()) / plan.rows.length) * w : 0);
    pen.clearRect(0, 0, w, tall);
    pen.globalAlpha = 1;
    if (played > 0) pen.drawImage(this.picture, 0, 0, played, tall, 0, 0, played, tall);
    pen.globalAlpha = 0.28;
    if (played < w) pen.drawImage(this.picture, played, 0, w - played, tall, played, 0, w - played, tall);
    pen.globalAlpha = 1;
    pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--ink");
    pen.fillRect(Math.min(w - 2 * ratio, Math.max(0, played - ratio)), 0, 2 * ratio, tall);
  }

  /** Draw all rows once; again only when there are enough new ones to see. @param {number} width @param {number} height @param {number} ratio */
  paint(width, height, ratio) {
    const { plan } = this.store.picture.peek();
    const { rows } = plan;
    const grown = rows.length < 2000 ? rows.length : Math.round(rows.length / 200) * 200;
    const { altitude, foldHeartbeats, participants, focus } = plan.options;
    const key = [
      width,
      height,
      ratio,
      grown,
      rows[0]?.seq,
      altitude,
      foldHeartbeats,
      plan.needle,
      ...(participants ?? []),
      "|",
      ...(focus ?? []),
    ].join(" ");
    if (key === this.key) return;
    this.key = key;
    Object.assign(this.picture, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const pen = /** @type {CanvasRenderingContext2D} */ (this.picture.getContext("2d"));
    pen.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    /** @type {Map<string, string>} */
    const colours = new Map(Object.entries(COLOURS).map(([family, name]) => [family, style.getPropertyValue(`--ink-${name}`)]));
    const pitch = width / Math.max(1, rows.length);
    const step = Math.max(1, Math.floor(1 / (pitch * STROKES_PER_PIXEL_MAX)));
    const lane = (height - TOP - BOTTOM) / Math.max(1, plan.lanes.list.length - 1);
    const thick = Math.max(0.8, Math.min(3, pitch * 0.65));
    pen.globalAlpha = pitch < 0.5 ? 0.5 : 0.9;
    for (let i = 0; i < rows.length; i += step) stroke(pen, rows[i], (i + 0.5) * pitch, lane, thick, colours);
    pen.globalAlpha = 1;
    for (const row of rows) mark(pen, row, (row.index + 0.5) * pitch, style);
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Row} row @param {number} x @param {number} lane @param {number} thick @param {Map<string, string>} colours */
function stroke(pen, row, x, lane, thick, colours) {
  if (row.members) return;
  pen.fillStyle = /** @type {string} */ (colours.get(familyOf(row.entry)));
  const y = TOP + row.from * lane;
  if (row.to < 0) return pen.fillRect(x - Math.max(1.2, thick / 2), y - 1.2, Math.max(2.4, thick), 2.4);
  const end = TOP + row.to * lane;
  return pen.fillRect(x - thick / 2, Math.min(y, end), thick, Math.max(1.5, Math.abs(end - y)));
}

/** @param {CanvasRenderingContext2D} pen @param {Row} row @param {number} x @param {CSSStyleDeclaration} style */
function mark(pen, row, x, style) {
  const fault = row.entry.kind.startsWith("fault.");
  if (row.entry.kind !== "command.started" && !fault) return;
  pen.fillStyle = style.getPropertyValue(fault ? "--ink-refusal" : "--accent");
  pen.beginPath();
  pen.moveTo(x - 4, 0);
  pen.lineTo(x + 4, 0);
  pen.lineTo(x, 6);
  pen.fill();
}
