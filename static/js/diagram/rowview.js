/**
 * One row's elements, made once and used again for whichever row scrolls into view.
 *
 * A message is a slanted arrow: its tail where it left, its head a little lower, where it arrived; the steeper,
 * the longer it was under way (on a logarithmic scale, so that microseconds and seconds both show).
 */
import { commonPrefix, clock, duration } from "../format.js";
import { ICONS } from "../icons.js";
import { FOLD, GAP_SECONDS_TOLD, foldedAt } from "../layout.js";
import { SHAPES, familyOf } from "../shapes.js";

/** @typedef {import("../layout.js").Row} Row */
/** @typedef {{laneX: (index: number) => number, width: number, head: number, t: (key: string, values?: Record<string, any>) => string, say: (entry: import("../log.js").Entry) => string, label: (entry: import("../log.js").Entry) => string, language: string, previous: Row | undefined}} Scene */

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6.15;
const MONO_LETTER = 6.9;
const CHIP_LETTER = 5.9;
const BOLD_LETTER = 7.4;
const TAIL_Y = 16.5;
const LABEL_Y = 9.5;
const CHIP_MAX = 46;
const AXIS_RIGHT = 80;

/** @param {string} name @param {string} [className] @param {Element} [parent] */
export function element(name, className, parent) {
  const node = document.createElementNS(SVG, name);
  if (className) node.setAttribute("class", className);
  parent?.append(node);
  return node;
}

/** @param {Element} node @param {Record<string, string | number | null>} attributes */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) node.removeAttribute(name);
    else node.setAttribute(name, String(value));
  }
}

/** How far an arrow falls on its way. @param {number} seconds */
const slant = (seconds) => Math.max(3, Math.min(9.5, 4.5 + 1.5 * Math.log10(Math.max(seconds, 1e-6) / 2e-5)));

/** @param {string} text @param {number} max */
const cut = (text, max) => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

export class RowView {
  constructor() {
    this.group = element("g", "row");
    this.back = element("rect", "row-back", this.group);
    this.gap = element("rect", "gap", this.group);
    this.chip = element("rect", "chip", this.group);
    this.line = element("path", "line", this.group);
    this.core = element("path", "core", this.group);
    this.icon = element("path", "glyph", this.group);
    this.label = element("text", "label", this.group);
    this.tail = element("path", "tail", this.group);
    this.head = element("path", "head", this.group);
    this.axis = element("g", "tick");
    this.mark = element("rect", "tick-mark", this.axis);
    this.same = element("tspan", "same");
    this.time = element("text", "time", this.axis);
    this.time.append(this.same, document.createTextNode(""));
    this.pause = element("text", "pause", this.axis);
    /** @type {Row | null} */
    this.row = null;
    /** What a screen reader says of it. */
    this.spoken = "";
    /** What was last written to the elements, so that nothing is written twice. */
    this.told = "";
    this.y = Number.NaN;
  }

  /** @param {Row} row @param {Scene} scene */
  show(row, scene) {
    this.row = row;
    this.told = "";
    const { entry } = row;
    this.family = row.members ? "fold" : familyOf(entry);
    set(this.back, { x: 0, y: 0, width: scene.width, height: row.height });
    for (const part of [this.line, this.core, this.tail, this.head]) part.setAttribute("d", "");
    if (row.members) this.fold(row, scene);
    else if (row.to >= 0) this.message(row, scene);
    else this.note(row, scene);
    this.tick(row, scene);
    const label = this.label.textContent ?? "";
    const sentence = row.members ? label : scene.say(entry);
    this.spoken = sentence === label ? sentence : `${label}: ${sentence}`;
    set(this.group, { id: `row-${row.seq}`, role: "option" });
  }

  /** @param {Row} row @param {Scene} scene */
  message(row, scene) {
    const { entry } = row;
    const shape = SHAPES[/** @type {import("../shapes.js").Family} */ (this.family)];
    const [x1, end] = [scene.laneX(row.from), scene.laneX(row.to)];
    const lost = shape.head === "cross";
    const fall = slant((entry.arrived ?? entry.at) - entry.at);
    const [y1, y2] = [TAIL_Y, TAIL_Y + fall];
    if (row.from === row.to) return this.toItself(row, scene, x1);
    const sign = end > x1 ? 1 : -1;
    const x2 = lost ? x1 + (end - x1) * 0.6 : end;
    const start = x1 + sign * (shape.tail === "none" ? 1 : 4);
    const d = `M${start} ${y1}L${x2 - sign * (shape.head === "filled" ? 5 : 1)} ${y2}`;
    this.line.setAttribute("d", d);
    if (shape.line === "double") this.core.setAttribute("d", d);
    this.head.setAttribute("d", headPath(shape.head, x2, y2, Math.atan2(y2 - y1, x2 - x1)));
    if (shape.tail === "ring") this.tail.setAttribute("d", `M${x1 - 3} ${y1}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z`);
    if (shape.tail === "diamond") this.tail.setAttribute("d", `M${x1 - 4} ${y1}l4 -3.5l4 3.5l-4 3.5z`);
    this.words((x1 + x2) / 2, cut(scene.label(entry), 52), shape.icon, scene, "middle");
    this.chip.setAttribute("width", "0");
  }

  /** Two programs on one lane, or a program with itself. @param {Row} row @param {Scene} scene @param {number} x */
  toItself(row, scene, x) {
    this.line.setAttribute("d", `M${x + 2} 9h18v10h-14`);
    this.head.setAttribute("d", headPath("filled", x + 2, 19, Math.PI));
    this.words(x + 28, cut(scene.label(row.entry), 52), null, scene, "start", 18);
    this.chip.setAttribute("width", "0");
  }

  /** @param {number} x @param {string} text @param {string | null} icon @param {Scene} scene @param {"middle" | "start"} anchor @param {number} [y] */
  words(x, text, icon, scene, anchor, y = LABEL_Y) {
    const width = text.length * LETTER + (icon ? 14 : 0);
    const left = Math.max(3, Math.min(scene.width - width - 6, anchor === "middle" ? x - width / 2 : x));
    set(this.label, { x: left + (icon ? 14 : 0), y });
    this.label.textContent = text;
    set(this.icon, { d: icon ? ICONS[icon] : "", transform: `translate(${left} ${y - 9}) scale(.44)` });
    this.gap.setAttribute("height", "0");
  }

  /** @param {Row} row @param {Scene} scene */
  note(row, scene) {
    const { entry } = row;
    const command = this.family === "command";
    const shape = SHAPES[/** @type {import("../shapes.js").Family} */ (this.family)];
    const text = cut(scene.label(entry), command ? 70 : CHIP_MAX);
    const width = text.length * (command ? MONO_LETTER : this.family === "process" ? CHIP_LETTER : BOLD_LETTER) + 30;
    const lane = scene.laneX(row.from);
    const left = Math.max(3, Math.min(scene.width - width - 4, lane - Math.min(width / 2, command ? 24 : width / 2)));
    set(this.chip, { x: left, y: 4, width, height: 22, rx: 6 });
    set(this.label, { x: left + 22, y: 19 });
    this.label.textContent = text;
    set(this.icon, { d: ICONS[shape.icon ?? "cog"], transform: `translate(${left + 6} 9) scale(.5)` });
    this.gap.setAttribute("height", "0");
  }

  /** @param {Row} row @param {Scene} scene */
  fold(row, scene) {
    const count = foldedAt(row, scene.head);
    const text = scene.t("diagram.fold", { count });
    const width = text.length * LETTER + 34;
    set(this.chip, { x: 10, y: 2, width, height: FOLD - 4, rx: (FOLD - 4) / 2 });
    set(this.label, { x: 32, y: FOLD / 2 + 4 });
    this.label.textContent = text;
    set(this.icon, { d: ICONS.pulse, transform: `translate(16 ${FOLD / 2 - 5.5}) scale(.46)` });
    this.line.setAttribute("d", `M${width + 16} ${FOLD / 2}H${scene.width - 8}`);
    this.gap.setAttribute("height", "0");
  }

  /** The time beside the row, with the digits that have not changed dimmed, and the pause before it. @param {Row} row @param {Scene} scene */
  tick(row, scene) {
    const text = clock(row.time);
    const same = scene.previous && row.gapHeight === 0 ? commonPrefix(clock(scene.previous.time), text) : 0;
    this.same.textContent = text.slice(0, same);
    /** @type {Text} */ (this.time.lastChild).data = text.slice(same);
    this.time.classList.toggle("hours", row.time >= 3600);
    set(this.time, { x: AXIS_RIGHT, y: row.members ? FOLD / 2 + 4 : row.to >= 0 ? TAIL_Y + 6 : 19 });
    const told = row.gap >= GAP_SECONDS_TOLD;
    this.pause.textContent = told ? `⋮ ${duration(row.gap, scene.language)}` : "";
    set(this.pause, { x: AXIS_RIGHT, y: -row.gapHeight / 2 + 4 });
    set(this.gap, { x: 0, y: -row.gapHeight + 2, width: scene.width, height: told ? row.gapHeight - 4 : 0 });
    set(this.mark, { x: AXIS_RIGHT + 5, y: 0, width: 3, height: row.height });
  }

  /** What changes without the row being another: selection, hover, chain. @param {string} state @param {boolean} selected @param {number} place @param {number} total */
  mood(state, selected, place, total) {
    const told = `${this.family}${state}${selected}${place}/${total}`;
    if (told === this.told) return;
    this.told = told;
    this.group.setAttribute("class", `row ${this.family} ${state}`);
    this.axis.setAttribute("class", `tick ${state}`);
    set(this.group, { "aria-label": this.spoken, "aria-selected": String(selected), "aria-posinset": place, "aria-setsize": total });
  }

  /** @param {number} y */
  moveTo(y) {
    if (y === this.y) return;
    this.y = y;
    this.group.setAttribute("transform", `translate(0 ${y})`);
    this.axis.setAttribute("transform", `translate(0 ${y})`);
  }
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
