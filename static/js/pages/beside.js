/**
 * Two runs side by side. The server compares and says everything; here is drawn what is near the chosen row, and the
 * reader goes from difference to difference. Rows that are far away are not in the document; a button at each end of
 * what is drawn brings more.
 */
import { about, drawn, firstDifference, nextDifference, objectsOf, secondsOf } from "./besideview.js";

/** @typedef {import("./besideview.js").Row} Row */

const place = /** @type {HTMLElement} */ (document.getElementById("beside"));
/** @template {Element} T @param {string} selector @returns {T} */
const find = (selector) => /** @type {T} */ (place.querySelector(selector));
const words = /** @type {Record<string, string>} */ (/** @type {unknown} */ (place.dataset));
const table = /** @type {HTMLElement} */ (find(".beside-rows"));
const output = /** @type {HTMLOutputElement} */ (find("output"));
const choice = {
  rows: /** @type {HTMLSelectElement} */ (find("[name=rows]")),
  object: /** @type {HTMLSelectElement} */ (find("[name=object]")),
  layer: /** @type {HTMLSelectElement} */ (find("[name=layer]")),
  heartbeats: /** @type {HTMLInputElement} */ (find("[name=heartbeats]")),
};
const OBJECTS_OPEN_MAX = 6;
const NARROW = 640;
const SORTS = { both: "both", differs: "differs", a: "onlyA", b: "onlyB" };

/** @type {import("./besideview.js").Comparison | null} */
let comparison = null;
/** @type {Row[]} */
let rows = [];
let chosen = 0;
let asked = 0;

/** @param {string} name @param {Record<string, string>} attributes @param {(Node | string)[]} content */
function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** One run's half of a row, a link to where it stands there. @param {Row} row @param {"a" | "b"} side */
function half(row, side) {
  const cell = row[side];
  const mark = element("b", { class: "side" }, side.toUpperCase());
  if (!cell) return element("div", { role: "cell", class: `half ${side} none` }, mark, element("span", {}, words.none ?? ""));
  const number = element("span", { class: "seq" }, `#${cell.seq}`);
  const link = element("a", { href: `${words[side]}#e${cell.seq}` }, number, ` ${cell.say}`);
  return element("div", { role: "cell", class: `half ${side}` }, mark, link);
}

/** @param {Row} row @param {number} index */
function drawRow(row, index) {
  const head = element(
    "div",
    { role: "rowheader", class: "what" },
    element("span", { class: `sort ${row.is}` }, words[SORTS[row.is]] ?? ""),
  );
  head.append(element("span", { class: "when" }, secondsOf(row)));
  if (row.object) head.append(element("span", { class: "about" }, row.object));
  if (row.is === "differs") head.append(element("p", { class: "said" }, row.say));
  if (row.fields.length > 1) {
    const facts = row.fields.map(({ path, a, b }) => element("li", {}, element("code", {}, path), ` ${a ?? "–"} → ${b ?? "–"}`));
    head.append(element("ul", { class: "facts" }, ...facts));
  }
  const attributes = {
    role: "row",
    class: "pair",
    "data-is": row.is,
    "data-place": String(index),
    tabindex: "-1",
    "aria-rowindex": String(index + 1),
  };
  return element("div", attributes, head, half(row, "a"), half(row, "b"));
}

/** What is common to both, as one folded row. @param {import("./besideview.js").Comparison["common"]} common */
function drawCommon({ entries, seconds, a, b }) {
  const said = element(
    "div",
    { role: "rowheader", class: "what" },
    element("span", { class: "sort both" }, (words.common ?? "").replace("{count}", String(entries))),
  );
  const halves = [
    ["a", a],
    ["b", b],
  ].map(([side, seq]) =>
    half(
      { is: "both", object: "", say: "", fields: [], a: null, b: null, [String(side)]: { seq: Number(seq), at: seconds, say: "" } },
      side === "a" ? "a" : "b",
    ),
  );
  return element("div", { role: "row", class: "pair folded" }, said, ...halves);
}

/** A button that goes on where the drawn rows end. @param {string} label @param {number} index */
function more(label, index) {
  const button = element("button", { type: "button", class: "button more" }, label);
  button.addEventListener("click", () => choose(index));
  return element("div", { role: "row" }, element("div", { role: "cell" }, button));
}

/** Draw what is near the chosen row. */
function draw() {
  const { from, to } = drawn(rows.length, chosen);
  table.setAttribute("aria-rowcount", String(rows.length));
  const shown = rows.slice(from, to).map((row, index) => drawRow(row, from + index));
  if (from === 0 && comparison?.common.entries) shown.unshift(drawCommon(comparison.common));
  if (from > 0) shown.unshift(more(words.earlier ?? "", from - 1));
  if (to < rows.length) shown.push(more(words.later ?? "", to));
  table.replaceChildren(...shown);
  find(".beside-empty").toggleAttribute("hidden", !comparison || rows.length > 0);
  mark();
}

/** Mark the chosen row, and say where it is. */
function mark() {
  for (const one of table.querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
  rowAt(chosen)?.setAttribute("aria-current", "true");
  output.textContent = rows.length
    ? (words.place ?? "").replace("{place}", String(chosen + 1)).replace("{count}", String(rows.length))
    : "";
}

/** @param {number} index @returns {HTMLElement | null} */
const rowAt = (index) => table.querySelector(`[data-place="${index}"]`);

/** Choose a row, and bring it into view. @param {number} index @param {{focus?: boolean}} how */
function choose(index, { focus = true } = {}) {
  chosen = index;
  draw();
  const row = rowAt(chosen);
  row?.scrollIntoView({ block: "center" });
  if (focus) row?.focus({ preventScroll: true });
}

/** @param {1 | -1} by */
const step = (by) => rows.length && choose(nextDifference(rows, chosen, by));

/** Show the rows of the chosen object. @param {{focus?: boolean}} how */
function show(how = {}) {
  rows = about(comparison?.rows ?? [], choice.object.value);
  chosen = firstDifference(rows);
  draw();
  if (choice.rows.value === "all" && chosen > 0) choose(chosen, how);
}

/** Offer the objects that the rows are about. */
function offer() {
  const was = choice.object.value;
  const offered = objectsOf(comparison?.rows ?? []).map(({ object, count }) =>
    element("option", { value: object }, `${object} (${count})`),
  );
  choice.object.replaceChildren(/** @type {Element} */ (choice.object.firstElementChild), ...offered);
  choice.object.value = was;
  if (choice.object.selectedIndex < 0) choice.object.value = "";
}

/** Say what the comparison is, above the rows. @param {string[]} lines */
const summarize = (lines) => find(".beside-summary").replaceChildren(...lines.map((line) => element("li", {}, line)));

async function load() {
  const mine = ++asked;
  summarize([words.busy ?? ""]);
  const query = new URLSearchParams({ layer: choice.layer.value });
  if (choice.rows.value === "all") query.set("rows", "all");
  if (choice.heartbeats.checked) query.set("heartbeats", "1");
  try {
    const response = await fetch(`${words.compare}?${query}`, { headers: { Accept: "application/json" } });
    const document = await response.json();
    if (mine !== asked) return;
    comparison = response.ok ? document : null;
    summarize(response.ok ? document.summary : [document.message]);
  } catch {
    if (mine !== asked) return;
    comparison = null;
    summarize([words.broken ?? ""]);
  }
  const objects = /** @type {HTMLElement} */ (find(".beside-objects"));
  const ends = comparison?.objects ?? [];
  objects.hidden = !ends.length;
  /** @type {HTMLDetailsElement} */ (objects).open = ends.length <= OBJECTS_OPEN_MAX && innerWidth >= NARROW;
  objects.querySelector("ul")?.replaceChildren(...ends.map(({ say }) => element("li", {}, say)));
  offer();
  show({ focus: false });
}

for (const select of [choice.rows, choice.layer, choice.heartbeats]) select.addEventListener("change", load);
choice.object.addEventListener("change", () => show());
for (const button of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-by]")))
  button.addEventListener("click", () => step(button.dataset.by === "1" ? 1 : -1));
table.addEventListener("focusin", (event) => {
  const row = /** @type {HTMLElement} */ (event.target).closest("[data-place]");
  if (!row) return;
  chosen = Number(/** @type {HTMLElement} */ (row).dataset.place);
  mark();
});
addEventListener("keydown", (event) => {
  const field = /** @type {HTMLElement} */ (event.target).matches("input:not([type=checkbox]), select, textarea");
  if (field || event.ctrlKey || event.metaKey || event.altKey || event.key.toLowerCase() !== "n") return;
  event.preventDefault();
  step(event.shiftKey ? -1 : 1);
});
load();
