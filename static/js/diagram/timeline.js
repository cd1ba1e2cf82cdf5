/** The whole journal as a strip of columns: how much was said, by which family, and where commands and faults lie. */
import { effect } from "@preact/signals-core";
import { familyOf } from "../shapes.js";

/** @typedef {import("../shapes.js").Family} Family */

const COLUMN = 3;
/** Families are stacked in groups. @type {Record<string, Family[]>} */
const GROUPS = {
  request: ["request", "reply", "refusal"], watch: ["watch"], call: ["call", "result", "stored"],
  note: ["note", "process", "command", "fault"], tls: ["tls", "alert", "frame"], tcp: ["tcp", "lost"],
};
const GROUP_OF = new Map(Object.entries(GROUPS).flatMap(([group, families]) => families.map((family) => [family, group])));
const NAMES = Object.keys(GROUPS);

export class Timeline {
  /** @param {HTMLCanvasElement} canvas @param {import("../store.js").Store} store */
  constructor(canvas, store) {
    this.canvas = canvas;
    this.store = store;
    this.frame = 0;
    this.key = "";
    /** @type {{counts: Uint32Array[], max: number, marks: {x: number, family: string}[]}} */
    this.columns = { counts: [], max: 1, marks: [] };
  }

  /** Draw whenever what it shows has moved. Returns how to stop. */
  start() {
    const again = () => {
      this.frame ||= requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    };
    const size = new ResizeObserver(again);
    size.observe(this.canvas);
    const theme = new MutationObserver(again);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    const stop = effect(() => {
      void [this.store.picture.value, this.store.shown.value];
      again();
    });
    return () => {
      stop();
      size.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", again);
    };
  }

  /** Count rows into columns; only when there are enough new ones to see. @param {number} width */
  count(width) {
    const { plan } = this.store.picture.peek();
    const rows = plan.rows;
    const grown = rows.length < 4000 ? rows.length : Math.round(rows.length / 200);
    const key = `${width} ${grown} ${rows.length > 0 ? rows[0].seq : 0} ${plan.options.altitude} ${plan.options.foldHeartbeats} ${plan.needle} ${plan.options.participants?.size}`;
    if (key === this.key) return;
    this.key = key;
    const n = Math.max(1, Math.floor(width / COLUMN));
    const counts = NAMES.map(() => new Uint32Array(n));
    const marks = [];
    for (const row of rows) {
      const x = Math.floor((row.index / rows.length) * n);
      const family = familyOf(row.entry);
      counts[NAMES.indexOf(GROUP_OF.get(family) ?? "note")][x] += 1;
      if (row.entry.kind === "command.started" || family === "fault") marks.push({ x: (row.index / rows.length) * width, family });
    }
    let max = 1;
    for (let x = 0; x < n; x += 1) max = Math.max(max, counts.reduce((sum, column) => sum + column[x], 0));
    this.columns = { counts, max, marks };
  }

  draw() {
    const { canvas, store } = this;
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.count(width);
    const style = getComputedStyle(canvas);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const { counts, max, marks } = this.columns;
    const { plan } = store.picture.peek();
    const played = plan.rows.length ? (plan.rowsAt(store.shown.peek()) / plan.rows.length) * width : 0;
    const room = height - 9;
    for (let x = 0; x < (counts[0]?.length ?? 0); x += 1) {
      let y = height - 1;
      pen.globalAlpha = x * COLUMN < played ? 1 : 0.3;
      for (const [i, name] of NAMES.entries()) {
        if (counts[i][x] === 0) continue;
        const tall = Math.max(1.5, (counts[i][x] / max) * room);
        pen.fillStyle = colour(`ink-${name}`);
        pen.fillRect(x * COLUMN, y - tall, COLUMN - 1, tall);
        y -= tall;
      }
    }
    pen.globalAlpha = 1;
    for (const { x, family } of marks) {
      pen.fillStyle = colour(family === "fault" ? "ink-refusal" : "accent");
      pen.beginPath();
      pen.moveTo(x - 4, 0);
      pen.lineTo(x + 4, 0);
      pen.lineTo(x, 6);
      pen.fill();
    }
    pen.fillStyle = colour("ink");
    pen.fillRect(Math.min(width - 2, Math.max(0, played - 1)), 0, 2, height);
  }
}
