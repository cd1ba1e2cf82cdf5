/**
 * A stretch of the diagram as a picture of its own: SVG with nothing outside of it, and PNG made of that.
 *
 * The rows are the page's own (layout.js, rowview.js). While they stand in the page for a moment, unseen, what its style
 * sheets make of them is written into them as attributes; then the sheets are not needed. Fonts are named by their
 * generic families. Whoever cannot see the picture reads its messages as sentences, in its description.
 */
import { hostsOf } from "../lanes.js";
import { firstIndex } from "../layout.js";
import { Across } from "./across.js";
import { RowView, element, set } from "./rowview.js";

/** @typedef {import("../layout.js").Plan} Plan */
/** @typedef {import("../layout.js").Row} Row */
/** @typedef {{text: string, width: number, height: number}} Picture */

export const ROWS_MAX = 300;
const LANE = 108;
const AXIS = 88;
const HEADS = 66;
const BOTTOM = 14;
const LINE = 13;
/** What browsers make of a canvas; beyond it the picture is drawn smaller. */
const PIXELS_HIGH_MAX = 16_000;
const SCALE_MAX = 2;
/** What of a style a picture needs. */
const INK = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"],
  ...["paint-order", "opacity", "font-size", "font-weight", "text-anchor"],
];

/** The rows of a plan that show entries of a range. @param {Plan} plan @param {number} first @param {number} last @returns {Row[]} */
export function rowsOf(plan, first, last) {
  const from = firstIndex(plan.rows, (row) => (row.members ? row.members[row.members.length - 1] : row.seq) >= first);
  return plan.rows.slice(from, plan.rowsAt(last));
}

/** A name in lines: "kube-controller-manager" in three. @param {string} name */
const linesOf = (name) => name.split(/(?<=-)/);

/** A colour as every program reads it, and how opaque it is. @param {string} colour as a browser computes it @returns {[string, number] | null} */
export function plainColour(colour) {
  const found = /^(rgba?|color\(srgb)\b\(?\s*([^)]*)\)/.exec(colour);
  if (!found) return null;
  const [red, green, blue, opacity = 1] = found[2]
    .split(/[\s,/]+/)
    .filter(Boolean)
    .map(Number);
  const scale = found[1].startsWith("rgb") ? 1 : 255;
  const hex = [red, green, blue].map((one) =>
    Math.round(one * scale)
      .toString(16)
      .padStart(2, "0"),
  );
  return [`#${hex.join("")}`, opacity];
}

/**
 * @param {{plan: Plan, rows: Row[], strings: import("../strings.js").Strings, title: string, within: Element}} what
 *   `within`: where the page's styles hold, for the moment in which they are read
 * @returns {Picture}
 */
export function pictureOf({ plan, rows, strings, title, within }) {
  const lanes = plan.lanes.drawn;
  const top = rows[0].y;
  const last = rows[rows.length - 1];
  const width = AXIS + LANE * lanes.length + 16;
  const height = HEADS + last.y + last.height - top + BOTTOM;
  const across = new Across(plan.lanes.list, LANE);
  const svg = element("svg", "picture-taken");
  set(svg, { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "title desc" });
  /** @type {SVGElement} */ (svg).style.position = "absolute";
  const words = rows.map((row) => (row.members ? "…" : strings.say(row.entry))).join(". ");
  for (const [name, text] of [
    ["title", title],
    ["desc", `${words}.`],
  ]) {
    const node = element(name, undefined, svg);
    node.id = name;
    node.textContent = text;
  }
  const ground = element("rect", undefined, svg);
  set(ground, { width, height });
  /** @type {SVGElement} */ (ground).style.fill = "var(--pane-solid)";
  const body = element("g", undefined, svg);
  set(body, { transform: `translate(${AXIS} ${HEADS})` });
  drawLanes(plan, body, rows, across.x, height - HEADS - BOTTOM);
  const axis = element("g", undefined, svg);
  set(axis, { transform: `translate(0 ${HEADS})` });
  const { t, say, label, language } = strings;
  for (const [i, row] of rows.entries()) {
    const view = new RowView();
    const room = width - AXIS;
    const said = { t, say, label, language: language.peek() };
    const scene = { across, room, width: room, head: plan.seq, ...said, previous: rows[i - 1] };
    view.show(i ? row : { ...row, gap: 0, gapHeight: 0 }, scene);
    view.mood("", false, i + 1, rows.length);
    view.moveTo(row.y - top);
    body.append(view.group);
    axis.append(view.axis);
  }
  drawHeads(plan, svg, strings);
  within.append(svg);
  ink(svg);
  svg.remove();
  return { text: `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}`, width, height };
}

/** @param {Plan} plan @param {Element} body @param {Row[]} rows @param {(index: number) => number} laneX @param {number} height */
function drawLanes(plan, body, rows, laneX, height) {
  const top = rows[0].y;
  const seq = rows[rows.length - 1].seq;
  for (const lane of plan.lanes.list) {
    const x = laneX(lane.index) + 0.5;
    set(element("path", "lifeline idle", body), { d: `M${x} 0V${height}` });
    for (const life of lane.lives.filter((one) => one.seq <= seq)) {
      const ended = life.endY !== null && (life.endSeq ?? 0) <= seq;
      const [from, to] = [Math.max(0, life.y - top), ended ? Math.min(height, Number(life.endY) - top) : height];
      if (to > from) set(element("path", "lifeline alive", body), { d: `M${x} ${from}V${to}` });
    }
  }
}

/** Who the lanes are, and on which hosts. @param {Plan} plan @param {Element} svg @param {import("../strings.js").Strings} strings */
function drawHeads(plan, svg, strings) {
  const lanes = plan.lanes.drawn;
  const write = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ small) => {
    const node = element("text", undefined, svg);
    set(node, { x, y });
    node.textContent = text;
    Object.assign(/** @type {SVGElement} */ (node).style, {
      ...{ fill: small ? "var(--ink-3)" : "var(--ink)", textAnchor: "middle" },
      ...{ fontSize: small ? "10px" : "11.5px", fontWeight: small ? "500" : "650" },
    });
  };
  for (const host of hostsOf(lanes)) {
    const left = AXIS + 4 + host.first * LANE + 3;
    const wide = host.count * LANE - 6;
    const bracket = element("path", "lifeline alive", svg);
    set(bracket, { d: `M${left} 21V18H${left + wide}V21` });
    write(host.host, left + wide / 2, 13, true);
  }
  for (const lane of lanes) {
    const lines = linesOf(lane.id === "workstation" ? strings.t("lanes.you") : lane.name);
    const bottom = HEADS - 8;
    for (const [i, line] of lines.entries())
      write(line, AXIS + 4 + (lane.slot + 0.5) * LANE, bottom - (lines.length - 1 - i) * LINE, false);
  }
}

/** Write into every element what the page's styles make of it, and take away what only the page needs. @param {Element} svg */
function ink(svg) {
  const all = [...svg.querySelectorAll("*")].filter((node) => !["title", "desc", "g"].includes(node.localName));
  const inked = all.map((node) => {
    const style = getComputedStyle(node);
    const text = node.localName === "text" || node.localName === "tspan";
    /** @type {Record<string, string>} */
    const found = text ? { "font-family": /mono/i.test(style.fontFamily) ? "monospace" : "sans-serif" } : {};
    for (const name of INK) {
      if (!text && (name.startsWith("font") || name === "text-anchor")) continue;
      const value = style.getPropertyValue(name);
      const colour = name === "fill" || name === "stroke" ? plainColour(value) : null;
      if (colour) {
        found[name] = colour[0];
        if (colour[1] < 1) found[`${name}-opacity`] = String(colour[1]);
      } else if (value && !(name in found) && !(name.endsWith("-opacity") && `${name}` in found)) found[name] = value;
    }
    return found;
  });
  for (const [i, node] of all.entries()) set(node, inked[i]);
  for (const node of [svg, ...svg.querySelectorAll("*")]) {
    for (const { name } of [...node.attributes])
      if (name === "class" || name === "style" || (node !== svg && (name === "role" || name.startsWith("aria-"))))
        node.removeAttribute(name);
    if (node.id.startsWith("row-")) node.removeAttribute("id");
  }
  for (const node of [...svg.querySelectorAll("path:not([d]), path[d=''], rect[height='0'], rect[width='0']")]) node.remove();
}

/** @param {Picture} picture @returns {Promise<Blob>} */
export async function pngOf({ text, width, height }) {
  const scale = Math.min(SCALE_MAX, PIXELS_HIGH_MAX / height, PIXELS_HIGH_MAX / width);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("canvas"))), "image/png"));
}
