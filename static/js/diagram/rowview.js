/**
 * One row's elements, made once and used again for whichever row scrolls into view. Most rows need few of the parts that
 * there are (a message has no chip, a note no arrow): only those that it needs are in the document.
 *
 * A message is a slanted arrow: its tail where it left, its head a little lower, where it arrived; the steeper,
 * the longer it was under way (on a logarithmic scale, so that microseconds and seconds both show).
 */
import { Across } from "./across.js";
import { commonPrefix, clock, duration } from "../format.js";
import { ICONS } from "../icons.js";
import { FOLD, GAP_SECONDS_TOLD, ROW, foldedAt } from "../layout.js";
import { leftOut } from "../log.js";
import { SHAPES, familyOf } from "../shapes.js";

/** @typedef {import("../layout.js").Row} Row */
/** @typedef {{across: import("./across.js").Across, room: number, width: number, head: number, t: (key: string, values?: Record<string, any>) => string, say: (entry: import("../log.js").Entry) => string, label: (entry: import("../log.js").Entry) => string, language: string, previous: Row | undefined}} Scene
 *   `room`: how wide a window is on the canvas, which lanes that are held stay in */

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6.15;
const MONO_LETTER = 6.9;
const CHIP_LETTER = 5.9;
const BOLD_LETTER = 7.4;
const TAIL_Y = 16.5;
const LABEL_Y = 9.5;
const LABEL_MAX = 52;
const CHIP_MAX = 46;
const COMMAND_MAX = 70;
/** Before what is told of a lane that pinned ones hide. */
const BEHIND = "‹ ";
const AXIS_RIGHT = 80;

/** @param {string} name @param {string} [className] @param {Element} [parent] */
export function element(name, className, parent) {
  const node = document.createElementNS(SVG, name);
  if (className) node.setAttribute("class", className);
  parent?.append(node);
  return node;
}

/** Write what is another than it was. @param {Element} node @param {Record<string, string | number | null>} attributes */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
  }
}

/** How far an arrow falls on its way. @param {number} seconds */
const slant = (seconds) => Math.max(3, Math.min(9.5, 4.5 + 1.5 * Math.log10(Math.max(seconds, 1e-6) / 2e-5)));

/** @param {string} text @param {number} max */
const cut = (text, max) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** Where words may be: beside lanes that stay, in the window; else not before the edge of these. @param {Row} row @param {Scene} scene @returns {[number, number]} */
function bounds({ from, to }, { across, room, width }) {
  const isHeld = [from, to].some((lane) => lane >= 0 && across.isHeld(lane));
  return isHeld ? [across.left, Math.min(width, across.left + room)] : [across.edge, width];
}

/** What is told of a row, and that it is told of a lane that is out of view. @param {Row} row @param {number} max @param {Scene} scene */
function marked({ entry, from, to }, max, { across, label }) {
  const isBehind = [from, to].some((lane) => lane >= 0 && across.isBehind(lane));
  return (isBehind ? BEHIND : "") + cut(label(entry), max);
}

/** A row's optional parts, the lowest first: what is drawn later lies on top. */
const PARTS = /** @type {const} */ ({
  gap: "rect",
  chip: "rect",
  line: "path",
  core: "path",
  glyph: "path",
  label: "text",
  tail: "path",
  head: "path",
});
/** @typedef {keyof typeof PARTS} Part */
const ORDER = /** @type {Part[]} */ (Object.keys(PARTS));

export class RowView {
  constructor() {
    this.group = element("g", "row");
    this.back = element("rect", "row-back", this.group);
    /** @type {Partial<Record<Part, Element>>} */
    this.parts = {};
    /** Those that the row which is shown needs. @type {Set<Part>} */
    this.needed = new Set();
    this.axis = element("g", "tick");
    this.same = element("tspan", "same");
    this.time = element("text", "time", this.axis);
    this.time.append(this.same, document.createTextNode(""));
    this.mark = element("rect", "tick-mark");
    this.pause = element("text", "pause");
    /** @type {Row | null} */
    this.row = null;
    /** What a screen reader says of it. */
    this.spoken = "";
    /** What was last written to the elements, so that nothing is written twice. */
    this.told = "";
    this.total = 0;
    this.y = Number.NaN;
  }

  /** @param {Row} row @param {Scene} scene */
  show(row, scene) {
    this.row = row;
    this.told = "";
    const { entry } = row;
    this.family = row.members ? "fold" : familyOf(entry);
    set(this.back, { x: 0, y: 0, width: scene.width, height: row.height });
    this.needed.clear();
    if (row.members) this.fold(row, scene);
    else if (row.to >= 0) this.message(row, scene);
    else this.note(row, scene);
    this.tick(row, scene);
    for (const name of ORDER) if (!this.needed.has(name)) this.parts[name]?.remove();
    const label = (this.parts.label?.textContent ?? "").replace(BEHIND, "");
    const sentence = row.members ? label : scene.say(entry);
    this.spoken = sentence === label ? sentence : `${label}: ${sentence}`;
    set(this.group, { id: `row-${row.seq}`, role: "option" });
  }

  /** Have a part in the document, at its place. @param {Part} name @param {Record<string, string | number | null>} attributes */
  part(name, attributes) {
    this.parts[name] ??= element(PARTS[name], name);
    const node = this.parts[name];
    this.needed.add(name);
    if (!node.parentNode) {
      const above = ORDER.slice(ORDER.indexOf(name) + 1).find((other) => this.parts[other]?.parentNode);
      this.group.insertBefore(node, above ? (this.parts[above] ?? null) : null);
    }
    set(node, attributes);
    return node;
  }

  /** @param {Row} row @param {Scene} scene */
  message(row, scene) {
    const { entry } = row;
    const shape = SHAPES[/** @type {import("../shapes.js").Family} */ (this.family)];
    const { x, edge, isBehind } = scene.across;
    const [x1, end] = [x(row.from), x(row.to)];
    if (isBehind(row.from) && isBehind(row.to)) return this.words(row, edge, shape.icon, scene, "start");
    const lost = shape.head === "cross";
    const fall = slant((entry.arrived ?? entry.at) - entry.at);
    const [y1, y2] = [TAIL_Y, TAIL_Y + fall];
    if (row.from === row.to) return this.toItself(row, scene, x1);
    const sign = end > x1 ? 1 : -1;
    const x2 = lost ? x1 + (end - x1) * 0.6 : end;
    const start = x1 + sign * (shape.tail === "none" ? 1 : 4);
    const d = `M${start} ${y1}L${x2 - sign * (shape.head === "filled" ? 5 : 1)} ${y2}`;
    this.part("line", { d });
    if (shape.line === "double") this.part("core", { d });
    this.part("head", { d: headPath(shape.head, x2, y2, Math.atan2(y2 - y1, x2 - x1)) });
    if (shape.tail === "ring") this.part("tail", { d: `M${x1 - 3} ${y1}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z` });
    if (shape.tail === "diamond") this.part("tail", { d: `M${x1 - 4} ${y1}l4 -3.5l4 3.5l-4 3.5z` });
    this.words(row, (x1 + x2) / 2, shape.icon, scene, "middle");
  }

  /** Two programs on one lane, or a program with itself. @param {Row} row @param {Scene} scene @param {number} x */
  toItself(row, scene, x) {
    this.part("line", { d: `M${x + 2} 9h18v10h-14` });
    this.part("head", { d: headPath("filled", x + 2, 19, Math.PI) });
    this.words(row, x + 28, null, scene, "start", 18);
  }

  /** @param {Row} row @param {number} x @param {string | null} icon @param {Scene} scene @param {"middle" | "start"} anchor @param {number} [y] */
  words(row, x, icon, scene, anchor, y = LABEL_Y) {
    const text = marked(row, LABEL_MAX, scene);
    const [from, to] = bounds(row, scene);
    const width = text.length * LETTER + (icon ? 14 : 0);
    const left = Math.max(from + 3, Math.min(to - width - 6, anchor === "middle" ? x - width / 2 : x));
    this.part("label", { x: left + (icon ? 14 : 0), y }).textContent = text;
    if (icon) this.part("glyph", { d: ICONS[icon], transform: `translate(${left} ${y - 9}) scale(.44)` });
  }

  /** @param {Row} row @param {Scene} scene */
  note(row, scene) {
    const command = this.family === "command";
    const shape = SHAPES[/** @type {import("../shapes.js").Family} */ (this.family)];
    const text = marked(row, command ? COMMAND_MAX : CHIP_MAX, scene);
    const width = text.length * (command ? MONO_LETTER : this.family === "process" ? CHIP_LETTER : BOLD_LETTER) + 30;
    const lane = scene.across.x(row.from);
    const [from, to] = bounds(row, scene);
    const left = Math.max(from + 3, Math.min(to - width - 4, lane - Math.min(width / 2, command ? 24 : width / 2)));
    this.part("chip", { x: left, y: 4, width, height: 22, rx: 6 });
    this.part("label", { x: left + 22, y: 19 }).textContent = text;
    this.part("glyph", { d: ICONS[shape.icon ?? "cog"], transform: `translate(${left + 6} 9) scale(.5)` });
  }

  /** @param {Row} row @param {Scene} scene */
  fold(row, scene) {
    const count = foldedAt(row, scene.head);
    const text = scene.t(row.rest ? "diagram.rest" : "diagram.fold", { count });
    const width = text.length * LETTER + 34;
    const { left } = scene.across;
    this.part("chip", { x: left + 10, y: 2, width, height: FOLD - 4, rx: (FOLD - 4) / 2 });
    this.part("label", { x: left + 32, y: FOLD / 2 + 4 }).textContent = text;
    this.part("glyph", { d: ICONS.pulse, transform: `translate(${left + 16} ${FOLD / 2 - 5.5}) scale(.46)` });
    this.part("line", { d: `M${left + width + 16} ${FOLD / 2}H${scene.width - 8}` });
  }

  /** The time beside the row, with the digits that have not changed dimmed, and the pause before it. @param {Row} row @param {Scene} scene */
  tick(row, scene) {
    const text = clock(row.time);
    const same = scene.previous && row.gapHeight === 0 ? commonPrefix(clock(scene.previous.time), text) : 0;
    this.same.textContent = text.slice(0, same);
    /** @type {Text} */ (this.time.lastChild).data = text.slice(same);
    this.time.classList.toggle("hours", row.time >= 3600);
    set(this.time, { x: AXIS_RIGHT, y: row.members ? FOLD / 2 + 4 : row.to >= 0 ? TAIL_Y + 6 : 19 });
    set(this.mark, { x: AXIS_RIGHT + 5, y: 0, width: 3, height: row.height });
    if (row.gap < GAP_SECONDS_TOLD) return this.pause.remove();
    this.pause.textContent = `⋮ ${duration(row.gap, scene.language)}`;
    set(this.pause, { x: AXIS_RIGHT, y: -row.gapHeight / 2 + 4 });
    this.axis.append(this.pause);
    this.part("gap", { x: 0, y: -row.gapHeight + 2, width: scene.width, height: row.gapHeight - 4 });
  }

  /** What changes without the row being another: selection, hover, chain; and of how many it is one, which each message changes. @param {string} state @param {boolean} selected @param {number} place @param {number} total */
  mood(state, selected, place, total) {
    if (total !== this.total) set(this.group, { "aria-setsize": total });
    this.total = total;
    const told = `${this.family}${state}${selected}${place}`;
    if (told === this.told) return;
    this.told = told;
    this.group.setAttribute("class", `row ${this.family} ${state}`);
    this.axis.setAttribute("class", `tick ${state}`);
    if (state) this.axis.append(this.mark);
    else this.mark.remove();
    set(this.group, { "aria-label": this.spoken, "aria-selected": String(selected), "aria-posinset": place });
  }

  /** @param {number} y */
  moveTo(y) {
    if (y === this.y) return;
    this.y = y;
    this.group.setAttribute("transform", `translate(0 ${y})`);
    this.axis.setAttribute("transform", `translate(0 ${y})`);
  }
}

const FIELDS = { verb: "get", resource: "pods", name: "web", status: 200 };
/** Rows that all others are like, in fonts before all. @type {Row[]} */
const REHEARSED = [
  { kind: "http.request", to: 1, members: null },
  { kind: "process.started", to: -1, members: null },
  { kind: "command.started", to: -1, members: null },
  { kind: "watch.event", to: 1, members: [0] },
].map(({ kind, to, members }) => ({
  entry: { ...leftOut(0), kind, heartbeat: false, fields: FIELDS },
  ...{ index: 0, seq: 0, y: 0, height: ROW, gap: GAP_SECONDS_TOLD, gapHeight: ROW, from: 0, to, time: 0, members, rest: false },
}));

/**
 * Views for the rows that come first, made while the page waits for these. Each has shown something: the elements are there,
 * and what is slow when it runs for the first time, formats of numbers before all, has run.
 * @param {number} count @param {Pick<Scene, "t" | "say" | "label" | "language">} said
 */
export function rehearsed(count, said) {
  const across = new Across([{ slot: 0 }, { slot: 1 }], ROW);
  const scene = { ...said, across, room: 2 * ROW, width: 2 * ROW, head: 0, previous: undefined };
  return Array.from({ length: count }, (_, i) => {
    const view = new RowView();
    view.show(REHEARSED[i % REHEARSED.length], scene);
    view.mood("", false, 0, 0);
    return view;
  });
}

/** @param {string} head @param {number} x @param {number} y @param {number} angle */
function headPath(head, x, y, angle) {
  const at = (/** @type {number} */ back, /** @type {number} */ aside) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return `${(x - back * c - aside * s).toFixed(2)} ${(y - back * s + aside * c).toFixed(2)}`;
  };
  if (head === "filled") return `M${at(0, 0)}L${at(8.5, 4)}L${at(8.5, -4)}z`;
  if (head === "open") return `M${at(7, 4)}L${at(0, 0)}L${at(7, -4)}`;
  if (head === "half") return `M${at(7, -4)}L${at(0, 0)}`;
  return `M${at(5, 5)}L${at(-5, -5)}M${at(5, -5)}L${at(-5, 5)}`;
}
