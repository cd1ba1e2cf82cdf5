/** Measured in the browser, on the page's own modules, with a journal of so many entries. See figures.py, which calls these in turn. */

const at = (/** @type {string} */ path) => import(`${location.origin}${path}`);
const [{ createStore }, { createActions }, { Diagram }, { Timeline }, { createStrings }, { createStatePane }, { StatePane }] = await Promise.all([
  at("/static/js/store.js"), at("/static/js/actions.js"), at("/static/js/diagram/diagram.js"), at("/static/js/diagram/timeline.js"),
  at("/static/js/strings.js"), at("/static/js/statepane.js"), at("/static/js/state/pane.js"),
]);
const [{ longJournal }, { sayAhead, shareTexts }, { signal }, { h, render }] = await Promise.all([
  at("/tests/js/fixtures/journal.js"), at("/static/js/ahead.js"), at("/static/vendor/signals.js"), at("/static/vendor/preact.js"),
]);

/** More than are painted first: they come one by one. */
const MORE = 300;
const TIMES = 200;
const SCROLLED_FRAMES = 180;
const SETTLED_FRAMES = 4;
const nextFrame = requestAnimationFrame;
const frame = () => new Promise((resolve) => nextFrame(() => setTimeout(resolve)));

/** The `share` of figures in order. @param {number[]} sorted @param {number} share */
const quantile = (sorted, share) => +sorted[Math.floor((sorted.length - 1) * share)].toFixed(2);

/** @type {any} What is drawn, after `begin`. */
let page = null;

/** A stage as the page has it, with nothing to show yet. @param {number} count */
export async function begin(count) {
  const words = await (await fetch("/static/words/en.json")).json();
  document.body.replaceChildren();
  const part = (/** @type {string} */ name, /** @type {string} */ className, /** @type {string} */ style, /** @type {Element} */ parent) => {
    const node = document.createElement(name);
    node.className = className;
    node.style.cssText = style;
    parent.append(node);
    return node;
  };
  const scroller = part("div", "scroller stage", "position:fixed;inset:0 0 60px 0;display:block", document.body);
  const body = part("div", "rows-body", "", scroller);
  const canvas = part("canvas", "", "position:fixed;inset:auto 0 0 0;width:100%;height:56px", document.body);
  const aside = part("aside", "state pane", "position:fixed;inset:0 0 60px auto;width:400px;display:none", document.body);
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  store.connection.value = { state: "open", attempt: 0, retryAt: null };
  const actions = createActions(store, { send: () => true });
  const strings = createStrings(words, "en");
  const diagram = new Diagram({ scroller, body, unit: signal(1), store, actions, strings, onWidth: () => {} });
  const timeline = new Timeline(canvas, store, { unfolded: signal(false), zoom: signal(1), byTime: signal(false) });
  const paintRows = timeline.paintRows.bind(timeline);
  timeline.paintRows = (/** @type {Parameters<typeof paintRows>} */ ...given) => {
    page.pictures += 1;
    paintRows(...given);
  };
  timeline.start();
  page = { store, actions, diagram, timeline, pictures: 0, strings, scroller, body, aside, entries: longJournal(count + MORE), count };
  await frame();
  await new Promise((resolve) => requestIdleCallback(resolve)); // what the diagram does while it waits for rows
}

/** Milliseconds from when rows have arrived until their frame is done. */
export async function paint() {
  const { store, entries, count } = page;
  const began = performance.now();
  store.log.append(entries.slice(0, count));
  await frame();
  return +(performance.now() - began).toFixed(1);
}

/** Until the margin and the strip are there too, which come with the next frames. */
export async function settled() {
  for (let i = 0; i < SETTLED_FRAMES; i += 1) await frame();
}

/**
 * What an act costs until all is drawn that follows from it: frames are run here, without waiting for the screen's, and
 * the layout of the document is asked for. Milliseconds.
 * @param {(i: number) => void} act
 */
async function work(act) {
  /** @type {Map<number, FrameRequestCallback>} */
  const due = new Map();
  let last = 0;
  const usual = [window.requestAnimationFrame, window.cancelAnimationFrame];
  window.requestAnimationFrame = (then) => {
    last += 1;
    due.set(last, then);
    return last;
  };
  window.cancelAnimationFrame = (id) => void due.delete(id);
  page.diagram.frame = 0;
  const spent = [];
  for (let i = 0; i < TIMES; i += 1) {
    const began = performance.now();
    act(i);
    for (let round = 0; round < 2 || due.size > 0; round += 1) {
      const now = [...due.values()];
      due.clear();
      for (const then of now) then(began);
      for (let n = 0; n < 12; n += 1) await null; // what the pane asks is answered, and drawn
    }
    void page.body.getBoundingClientRect();
    spent.push(performance.now() - began);
    if (i % 10 === 0) await frame();
  }
  [window.requestAnimationFrame, window.cancelAnimationFrame] = usual;
  spent.sort((one, other) => one - other);
  return { p50: quantile(spent, 0.5), p99: quantile(spent, 0.99) };
}

export const append = () => work((i) => page.store.log.append([page.entries[page.count + i]]));
export const stepBack = () => work(() => page.actions.stepBack());
export const stepForward = () => work(() => page.actions.stepForward());

/** Open the board of nodes and pods, which the page asks for at each step; each answer is another. */
export async function openBoard() {
  const { store, actions, strings, aside } = page;
  const state = createStatePane({ store, narrow: () => false, fold: () => {} });
  state.show("board");
  const usual = window.fetch;
  window.fetch = (address) => {
    const seq = Number(/at=(\d+)/.exec(String(address))?.[1]);
    const pods = (/** @type {number} */ node) =>
      Array.from({ length: 8 }, (_, i) => ({ namespace: "default", name: `web-6c8b-${node}${i}`, status: (seq + i) % 5 ? "Running" : "Pending", ready: "1/1", restarts: 0, seq: Math.max(1, seq - i) }));
    const nodes = [1, 2].map((n) => ({ name: `worker-${n}`, status: "Ready", taints: [], seq, pods: pods(n) }));
    return /** @type {any} */ (Promise.resolve({ ok: true, json: () => Promise.resolve({ nodes, waiting: [], complete: true, first: 1 }) }));
  };
  aside.style.display = "block";
  render(h(StatePane, { app: { store, actions, strings, state, urls: { state: "/state/" } } }), aside);
  await frame();
  await frame();
  if (!aside.querySelector(".state-node")) throw new Error("the board is not drawn");
  return () => {
    window.fetch = usual;
    render(null, aside);
    aside.style.display = "none";
  };
}

/** @type {(() => void) | undefined} */
let closeBoard;

export async function boardOpened() {
  closeBoard = await openBoard();
}

export function boardClosed() {
  closeBoard?.();
}

/** How many frames a second are drawn while every one of them moves on, and how long the longest took. @param {(i: number) => void} act */
async function frames(act) {
  const times = [];
  for (let i = 0; i < SCROLLED_FRAMES; i += 1) {
    act(i);
    times.push(await new Promise(nextFrame));
  }
  const each = times.slice(1).map((time, i) => time - times[i]);
  each.sort((one, other) => one - other);
  return { perSecond: +((1000 * each.length) / (times[times.length - 1] - times[0])).toFixed(1), p50: quantile(each, 0.5), p99: quantile(each, 0.99) };
}

export const scroll = () => frames((i) => {
  page.scroller.scrollTop = 4000 + 24 * i;
});

/** The timeline dragged from the start to the end. */
export const scrub = () => frames((i) => page.actions.toRow(Math.floor(((page.store.picture.value.plan.rows.length - 1) * i) / SCROLLED_FRAMES)));

/** What the strip shows, and how many times its picture has been painted, when nothing is left to do. */
export async function strip() {
  await new Promise((resolve) => requestIdleCallback(resolve));
  return { painted: page.timeline.painted, pictures: page.pictures };
}

/** Of which rows the elements in the document are, in the document's order. */
export const places = () => [...document.querySelectorAll(".row")].map((row) => Number(row.getAttribute("aria-posinset")));

export const size = () => ({ rows: page.store.picture.value.plan.rows.length, elements: document.querySelectorAll("*").length });

/** Take a journal's batches as the page does, one after the other, with what it does in idle moments; until all is done. @param {number} batches */
export async function hold(batches) {
  let waiting = 0;
  const idle = (/** @type {(left: () => number) => void} */ work) => {
    waiting += 1;
    setTimeout(() => {
      const end = performance.now() + 12;
      work(() => end - performance.now());
      waiting -= 1;
    });
  };
  shareTexts({ log: page.store.log, idle });
  sayAhead({ log: page.store.log, strings: page.strings, idle });
  for (let i = 0; i < batches; i += 1) page.store.log.append(await (await fetch(`/journal/${i}`)).json());
  page.entries = [];
  while (waiting > 0) await frame();
}

/** Rows of the same messages as a picture of Mermaid's language. @param {number} count */
export function mermaidOf(count) {
  const plain = (/** @type {string} */ text) => text.replace(/[;:#<>{}"\n]/g, " ").slice(0, 52);
  const { rows, lanes } = page.store.picture.peek().plan;
  const drawn = rows.filter((/** @type {any} */ row) => row.seq <= count);
  return [
    "sequenceDiagram",
    ...lanes.drawn.map((/** @type {any} */ lane) => `participant p${lane.index} as ${plain(lane.name)}`),
    ...drawn.map((/** @type {any} */ { entry, from, to, members }) => {
      const text = plain(members ? `${members.length} heartbeats` : page.strings.label(entry)) || "-";
      return to < 0 || members ? `Note over p${from}: ${text}` : `p${from}->>p${to}: ${text}`;
    }),
  ].join("\n");
}

/** Milliseconds that Mermaid takes for the same messages, until their frame is done. */
export async function mermaid() {
  const text = mermaidOf(page.count);
  const { default: drawing } = await at("/node_modules/mermaid/dist/mermaid.esm.min.mjs");
  drawing.initialize({ startOnLoad: false, maxTextSize: 1e7, maxEdges: 1e6 });
  await drawing.render("warm", "sequenceDiagram\na->>b: once"); // its parts are loaded before
  const target = document.createElement("div");
  document.body.append(target);
  await frame();
  const began = performance.now();
  target.innerHTML = (await drawing.render("drawn", text)).svg;
  await frame();
  const ms = +(performance.now() - began).toFixed(1);
  const messages = text.split("\n").filter((line) => /->>|Note over/.test(line)).length;
  return { ms, messages, elements: target.querySelectorAll("*").length };
}

/** Milliseconds for the same rows as bare lines and texts, those in view only: what the browser takes in any case. */
export async function bare() {
  const rows = page.entries.slice(0, page.count);
  document.body.replaceChildren();
  await frame();
  const began = performance.now();
  const seen = Math.ceil(innerHeight / 28);
  const lines = rows.slice(-seen).map((/** @type {any} */ entry, /** @type {number} */ i) => `<path d="M100 ${i * 28 + 20}L600 ${i * 28 + 24}" stroke="black"/><text x="300" y="${i * 28 + 12}">${entry.label.replace(/[<&]/g, " ")}</text>`);
  document.body.innerHTML = `<svg width="1280" height="${rows.length * 28}">${lines.join("")}</svg>`;
  await frame();
  return +(performance.now() - began).toFixed(1);
}
