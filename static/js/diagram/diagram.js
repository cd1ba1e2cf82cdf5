/**
 * The sequence diagram: only the rows in view are in the document, whatever the length of the log.
 *
 * All lengths here are the layout's units; the canvas is drawn larger as a whole (`unit`, in pixels) where the reader wants
 * larger text, and what the window tells and is told is turned into units and back in one place, `Viewport`.
 *
 * It is told nothing but the store, and draws again (at most once a frame) when something it read has moved.
 * The canvas covers the window and a margin around it, and scrolling within the margin draws nothing: the browser moves
 * what is there. Far from what was drawn before, the margin comes a frame later. Rows are placed relative to the last multiple of BLOCK above, so that large heights lose no precision
 * and rows that stay are not touched when others come. For the same reason the canvas is as high as a block and a window,
 * whatever is drawn on it: a canvas of another size has all its texts laid out again.
 *
 * Idle lanes lie on a canvas of their own below it, which moves along in whole dashes and is never drawn again: the dashes
 * of all lanes take the browser longer than all rows.
 *
 * A drawing reads what it needs of the document first, writes, and scrolls last: the browser lays out once.
 */
import { effect } from "@preact/signals-core";
import { idly } from "../ahead.js";
import { partnerOf } from "../causes.js";
import { Across, LEFT, staying } from "./across.js";
import { RowView, element, rehearsed, set } from "./rowview.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../actions.js").Actions} Actions */
/** @typedef {import("../layout.js").Row} Row */
/** @typedef {import("../strings.js").Strings} Strings */

const MARGIN = 240;
/** Scrolling draws again when less than this is left of the margin. */
const MARGIN_MIN = 80;
const BLOCK = 8192;
const AXIS = 88;
/** A component's name has room in it, in two or three lines. */
const LANE_MIN = 70;
const BOTTOM = 56;
/** Of a command's line so much is in view. */
const COMMAND_SEEN = 180;
/** As many rows as a usual window and its margin show. */
const REHEARSED_ROWS = 40;
/** How many rows at most are looked through for a command. */
const NEWEST = 100;
/** The dashes of idle lanes come again after so much; and a whole number of pixels it is in every text size. */
const DASHES = 120;
/** The canvas grows with the window in such steps. */
const TALLER = 512;

/** @param {number} height */
const roundedUp = (height) => Math.ceil(height / TALLER) * TALLER;

/** @typedef {{width: number, height: number, top: number, left: number}} Seen  `top` and `left`: how far it is scrolled */

/** What can be seen of the diagram, in units. */
class Viewport {
  /** @param {HTMLElement} element @param {{readonly value: number, peek: () => number}} unit */
  constructor(element, unit) {
    this.element = element;
    this.unit = unit;
  }

  /** @returns {Seen} */
  look() {
    const { clientWidth, clientHeight, scrollTop, scrollLeft } = this.element;
    const unit = this.unit.peek();
    return { width: clientWidth / unit, height: clientHeight / unit, top: scrollTop / unit, left: scrollLeft / unit };
  }

  /** Scroll from where it was to where it is to be: the browser lays out what was written until now. @param {Seen} from @param {Seen} to */
  scroll(from, to) {
    const unit = this.unit.peek();
    if (to.left !== from.left) this.element.scrollLeft = to.left * unit;
    if (to.top === from.top) return;
    this.element.scrollTop = to.top * unit;
    to.top = this.element.scrollTop / unit;
  }

  /** How far the end is below the lower edge. */
  get below() {
    return (this.element.scrollHeight - this.element.clientHeight - this.element.scrollTop) / this.unit.peek();
  }
}

export class Diagram {
  /** @param {{scroller: HTMLElement, body: HTMLElement, unit: {readonly value: number, peek: () => number}, store: Store, actions: Actions, strings: Strings, onWidth: (laneWidth: number, width: number, held: number) => void}} parts */
  constructor({ scroller, body, unit, store, actions, strings, onWidth }) {
    this.unit = unit;
    this.scroller = new Viewport(scroller, unit);
    /** The window as it is to be when this drawing is done. @type {Seen} */
    this.seen = { width: 0, height: 0, top: 0, left: 0 };
    /** The height of the heads above the rows. */
    this.headed = 0;
    /** Of which size the canvas is, and where. */
    this.framed = "";
    /** How high the lanes' own canvas is. */
    this.tall = 0;
    this.body = body;
    this.store = store;
    this.actions = actions;
    this.strings = strings;
    this.onWidth = onWidth;
    this.lanes = element("svg", "lanes", body);
    this.idle = element("path", "lifeline idle", this.lanes);
    this.canvas = element("svg", "canvas", body);
    this.alive = element("path", "lifeline alive", this.canvas);
    this.ray = element("path", "ray", this.canvas);
    this.border = element("path", "border", this.canvas);
    this.rows = element("g", "rows", this.canvas);
    this.edge = element("path", "edge", this.canvas);
    const axis = document.createElement("div");
    axis.className = "axis";
    axis.setAttribute("aria-hidden", "true");
    body.append(axis);
    this.axis = element("svg", "axis-canvas", axis);
    for (const node of [this.canvas, this.rows]) node.setAttribute("role", "presentation");
    for (const node of [this.lanes, this.alive, this.ray, this.edge, this.border]) node.setAttribute("aria-hidden", "true");
    /** @type {Map<number, RowView>} */
    this.views = new Map();
    /** @type {RowView[]} */
    this.pool = [];
    this.laneWidth = 100;
    this.across = new Across([], this.laneWidth);
    this.width = 0;
    this.full = 0;
    this.frame = 0;
    /** What is drawn, from the top down, and from where rows are placed. */
    this.drawn = { top: 0, bottom: 0, origin: 0 };
    this.chase = false;
    this.lastTop = 0;
    /** Up to which entry commands were looked for, to scroll sideways to them. */
    this.placed = 0;
    /** @type {import("../layout.js").Plan | null} */
    this.plan = null;
    /** Rows drawn before this stamp must be drawn anew: other plan, other width, other words. */
    this.stamp = "";
    this.listen();
    idly(() => {
      if (this.views.size === 0) this.rehearse();
    });
  }

  /** Have views for the first rows, and what the browser needs for them: it loads a font when a text in it is laid out first. */
  rehearse() {
    const views = rehearsed(REHEARSED_ROWS, this.said);
    for (const view of views) this.add(view);
    this.rows.getBoundingClientRect();
    for (const view of views) this.remove(view);
  }

  /** Have a row in the document, above another: in their order they are read out. @param {RowView} view @param {RowView | null} [below] */
  add(view, below = null) {
    this.rows.insertBefore(view.group, below?.group ?? null);
    this.axis.insertBefore(view.axis, below?.axis ?? null);
  }

  /** @param {RowView} view */
  remove(view) {
    view.group.remove();
    view.axis.remove();
    this.pool.push(view);
  }

  /** How rows say what they say. */
  get said() {
    const { t, say, label, language } = this.strings;
    return { t, say, label, language: language.peek() };
  }

  listen() {
    this.scroller.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // What the reader stands on stays in view when there is less room for it.
    new ResizeObserver(() => {
      this.chase ||= this.store.inView.peek();
      this.schedule();
    }).observe(this.scroller.element);
    const seqAt = (/** @type {Event} */ event) => {
      const row = /** @type {Element} */ (event.target).closest?.(".row");
      return row ? Number(row.id.slice(4)) : null;
    };
    // Rows of a running diagram move between press and release: meant is the one that was pressed.
    /** @type {number | null} */
    let pressed = null;
    this.body.addEventListener("pointerdown", (event) => {
      pressed = seqAt(event);
    });
    this.body.addEventListener("click", (event) => {
      const seq = pressed ?? seqAt(event);
      pressed = null;
      if (seq === null) return;
      const row = this.store.picture.peek().plan.rowOf(seq);
      if (row?.rest) return this.actions.unfold(seq);
      if (row?.members) this.actions.reveal(seq); // among all the others it would not be in view at the live end
      this.actions.open(seq);
    });
    this.body.addEventListener("pointermove", (event) => {
      const seq = event.pointerType === "touch" ? null : seqAt(event);
      if (seq !== this.store.hovered.peek()) this.store.hovered.value = seq;
    });
    this.body.addEventListener("pointerleave", () => {
      this.store.hovered.value = null;
    });
    effect(() => {
      const { picture, shown, selected, hovered, why, chain, follow, cursor } = this.store;
      void [
        picture.value,
        shown.value,
        selected.value,
        hovered.value,
        why.value,
        chain.value,
        follow.value,
        cursor.value,
        this.strings.language.value,
        this.unit.value,
      ];
      this.schedule();
    });
    /** Keep in view what the reader stands on, when they move it and not while they scroll. */
    effect(() => {
      const { selected, cursor, altitude, drawer, filtered, query, focus, recalled } = this.store;
      void [selected.value, cursor.value, altitude.value, drawer.value, filtered.value, query.value, focus.value, recalled.value];
      void this.unit.value;
      this.chase = true;
      this.schedule();
    });
  }

  /**
   * Going up lets go of the live end, reaching the bottom takes hold of it again; panes that change size do neither. Nor
   * does what `draw` has scrolled: its event comes a frame later, when somebody may have gone elsewhere.
   */
  scrolled() {
    const { below } = this.scroller;
    const seen = this.scroller.look();
    const { top } = seen;
    if (this.store.cursor.peek() === null) {
      const atEnd = below <= 30;
      if (atEnd && top !== this.lastTop) this.store.follow.value = true;
      else if (!atEnd && top < this.lastTop - 1) this.store.follow.value = false;
    }
    this.lastTop = top;
    const { held, left } = this.across;
    if ((!held || left === seen.left) && this.isMargin(top, top + seen.height)) this.tellInView(this.store.picture.peek().plan, seen);
    else this.schedule();
  }

  /** Is enough drawn around this window? @param {number} top @param {number} bottom */
  isMargin(top, bottom) {
    const { drawn, full } = this;
    return (drawn.top === 0 || top >= drawn.top + MARGIN_MIN) && (drawn.bottom >= full || bottom <= drawn.bottom - MARGIN_MIN);
  }

  /** Is some of what is drawn in this window? @param {number} top @param {number} bottom */
  isNear(top, bottom) {
    return top <= this.drawn.bottom && bottom >= this.drawn.top;
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /** Lane widths for the room there is, and how many lanes stay at its left. Returns the width of the canvas. @param {import("../lanes.js").Lanes} lanes */
  measure({ drawn, list, pinned }) {
    const room = this.seen.width - AXIS - 8;
    const laneWidth = Math.max(LANE_MIN, Math.floor(room / Math.max(1, drawn.length)));
    /** @type {number} */
    const width = laneWidth * drawn.length + 8;
    const held = staying(pinned, drawn.length, room, laneWidth);
    if (laneWidth !== this.laneWidth || width !== this.width || held !== this.across.held) {
      this.laneWidth = laneWidth;
      this.width = width;
      this.onWidth(laneWidth, width, held);
    }
    this.across = new Across(list, laneWidth, held);
    return width;
  }

  draw() {
    const { store, scroller } = this;
    const before = scroller.look();
    this.seen = { ...before };
    this.headed = this.body.offsetTop / this.unit.peek();
    const { plan } = store.picture.peek();
    const shown = store.shown.peek();
    const width = this.measure(plan.lanes);
    const count = plan.rowsAt(shown);
    const height = plan.heightAt(shown);
    const view = this.seen.height;
    const full = Math.max(height + BOTTOM, Math.floor(view - this.headed - 2));
    this.place(plan, shown, height);
    this.seen.top = Math.max(0, Math.min(this.seen.top, this.headed + full - view));
    const { held } = this.across;
    if (held) this.across = new Across(plan.lanes.list, this.laneWidth, held, this.seen.left);
    const margin = this.isNear(this.seen.top, this.seen.top + view) ? MARGIN : 0;
    const top = Math.max(0, Math.floor(this.seen.top - margin));
    const bottom = Math.min(full, Math.ceil(this.seen.top + view + margin));
    const first = plan.rowAtHeight(top);
    let end = count === 0 ? 0 : Math.min(count, plan.rowAtHeight(bottom) + 1);
    if (first > end) end = first;
    this.drawn = { top, bottom, origin: Math.floor(top / BLOCK) * BLOCK };
    this.frameBody(width, full, count);
    this.frameCanvas(width);
    this.drawLanes(plan, shown, height);
    this.drawRows(plan, first, end, count, shown, width);
    this.drawRay(plan);
    scroller.scroll(before, this.seen);
    this.lastTop = this.seen.top;
    this.tellInView(plan, this.seen);
    if (margin === 0) this.schedule();
  }

  /** How far can be scrolled. @param {number} width @param {number} full @param {number} count */
  frameBody(width, full, count) {
    if (full !== this.full) this.body.style.height = `${full / 10}rem`;
    this.full = full;
    this.body.style.width = `${(width + AXIS) / 10}rem`;
    if (count) this.body.setAttribute("role", "listbox");
    else this.body.removeAttribute("role");
  }

  /** Have the window at the live end, or at what the reader has just moved to. @param {import("../layout.js").Plan} plan @param {number} shown @param {number} height */
  place(plan, shown, height) {
    const { store, seen } = this;
    const chase = this.chase;
    this.chase = false;
    if (chase && store.selected.peek()) this.placeAcross(plan.rowOf(store.selected.peek() ?? 0));
    else if (store.follow.peek() && store.cursor.peek() === null) this.placeCommand(plan);
    if (store.follow.peek() && (store.cursor.peek() === null || chase)) {
      const bottom = height + BOTTOM + this.headed - seen.height;
      if (store.cursor.peek() === null || bottom < seen.top || height > seen.top + seen.height - this.headed)
        seen.top = Math.max(0, bottom);
      return;
    }
    const row = chase && store.selected.peek() ? plan.rowOf(Math.min(shown, store.selected.peek() ?? 0)) : null;
    if (!row) return;
    const room = seen.height - this.headed;
    if (row.y - row.gapHeight < seen.top + 8) seen.top = Math.max(0, row.y - row.gapHeight - room * 0.3);
    else if (row.y + row.height > seen.top + room - 28) seen.top = row.y + row.height - room * 0.7;
  }

  /** Say whether the selected row can be seen. @param {import("../layout.js").Plan} plan @param {Seen} seen */
  tellInView(plan, { top, height }) {
    const seq = this.store.selected.peek();
    const row = seq === null ? null : plan.rowOf(seq);
    this.store.inView.value = !row || (row.y + row.height > top && row.y < top + height - this.headed);
  }

  /** Whoever types a line sees where. @param {import("../layout.js").Plan} plan */
  placeCommand(plan) {
    const rows = plan.rows.slice(-NEWEST).filter(({ seq }) => seq > this.placed);
    this.placed = plan.seq;
    const row = rows.findLast(({ entry }) => entry.kind === "command.started");
    if (!row) return;
    if (this.across.isHeld(row.from)) return;
    const [x, left, band] = [this.across.unmoved(row.from), this.seen.left, this.band];
    if (x < left + band || x + COMMAND_SEEN > left + this.seen.width - AXIS) this.seen.left = Math.max(0, x - this.laneWidth / 2 - band);
  }

  /** Scroll sideways until both ends of a message are in view, the one it comes from first. @param {Row | null} row */
  placeAcross(row) {
    if (!row) return;
    const room = this.seen.width - AXIS;
    const half = this.laneWidth / 2;
    const { unmoved, isHeld } = this.across;
    // Pinned lanes are in view anyhow, and the others are where these do not stand.
    const ends = [row.from, row.to < 0 ? row.from : row.to].filter((lane) => !isHeld(lane)).map(unmoved);
    if (ends.length === 0) return;
    const [low, high] = [Math.min(...ends) - half - this.band, Math.max(...ends) + half];
    const left = this.seen.left;
    if (high > left + room) this.seen.left = Math.min(high - room, ends[0] - half);
    if (low < this.seen.left) this.seen.left = Math.max(0, low, ends[0] + half - room);
  }

  /** How much of the width pinned lanes take. */
  get band() {
    return this.across.held ? LEFT + this.across.held * this.laneWidth : 0;
  }

  /** @param {number} width */
  frameCanvas(width) {
    const unit = this.unit.peek();
    const { origin } = this.drawn;
    const tall = roundedUp(this.seen.height + 2 * MARGIN + DASHES);
    const height = BLOCK + tall;
    const lanes = Math.floor(this.drawn.top / DASHES) * DASHES;
    this.lanes.style.transform = `translate(${AXIS * unit}px, ${lanes * unit}px)`;
    const framed = [unit, width, height, origin].join(" ");
    if (framed === this.framed) return;
    this.framed = framed;
    set(this.lanes, { width: width * unit, height: tall * unit, viewBox: `0 0 ${width} ${tall}` });
    this.tall = tall;
    this.canvas.style.transform = `translate(${AXIS * unit}px, ${origin * unit}px)`;
    this.axis.style.transform = `translateY(${origin * unit}px)`;
    set(this.canvas, { width: width * unit, height: height * unit, viewBox: `0 0 ${width} ${height}` });
    set(this.axis, { width: AXIS * unit, height: height * unit, viewBox: `0 0 ${AXIS} ${height}` });
  }

  /** A line for every participant, faint while no process of it runs. @param {import("../layout.js").Plan} plan @param {number} shown @param {number} height */
  drawLanes(plan, shown, height) {
    const { top, bottom, origin } = this.drawn;
    let idle = "";
    let alive = "";
    for (const lane of plan.lanes.drawn) {
      if (this.across.isBehind(lane.index)) continue;
      const x = this.across.x(lane.index) + 0.5;
      idle += `M${x} 0V${this.tall}`;
      for (const life of lane.lives) {
        if (life.seq > shown) break;
        const end = life.endY === null || (life.endSeq ?? 0) > shown ? height : life.endY;
        const [from, to] = [Math.max(top, life.y), Math.min(bottom, end)];
        if (to > from) alive += `M${x} ${from - origin}V${to - origin}`;
      }
    }
    set(this.idle, { d: idle });
    set(this.alive, { d: alive });
    set(this.border, { d: this.across.edge ? `M${this.across.edge} ${top - origin}V${bottom - origin}` : "" });
    set(this.edge, { d: height > top && !this.store.atEnd.peek() ? `M0 ${height - origin + 4.5}H${this.width}` : "" });
  }

  /** @param {import("../layout.js").Plan} plan @param {number} first @param {number} end @param {number} count @param {number} shown @param {number} width */
  drawRows(plan, first, end, count, shown, width) {
    const { store, strings } = this;
    const { across } = this;
    const stamp = `${this.laneWidth} ${across.held} ${across.left} ${plan.lanes.list.length} ${plan.lanes.drawn.length} ${strings.language.peek()}`;
    const anew = this.stamp !== stamp || this.plan !== plan;
    this.stamp = stamp;
    this.plan = plan;
    for (const [index, view] of this.views) {
      if (index >= first && index < end) continue;
      this.views.delete(index);
      this.remove(view);
    }
    const moods = this.moods(plan, shown);
    const said = this.said;
    const room = across.held ? this.seen.width - AXIS : width;
    /** @type {RowView | null} */
    let below = null;
    for (let index = end - 1; index >= first; index -= 1) {
      const row = plan.rows[index];
      let view = this.views.get(index);
      if (!view) {
        view = this.pool.pop() ?? new RowView();
        this.views.set(index, view);
        this.add(view, below);
        view.row = null;
      }
      if (anew || view.row !== row || row.members) {
        view.show(row, {
          across,
          room,
          width,
          head: shown,
          previous: plan.rows[index - 1],
          ...said,
        });
      }
      view.moveTo(row.y - this.drawn.origin);
      view.mood(moods(row), row.seq === store.selected.peek(), index + 1, count);
      below = view;
    }
    const active = store.selected.peek();
    const row = active ? plan.rowOf(active) : null;
    if (row && this.views.has(row.index) && count) this.body.setAttribute("aria-activedescendant", `row-${row.seq}`);
    else this.body.removeAttribute("aria-activedescendant");
  }

  /** Class names of a row's state. @param {import("../layout.js").Plan} plan @param {number} shown */
  moods(plan, shown) {
    const { store } = this;
    const selected = store.selected.peek();
    const hovered = store.hovered.peek();
    const why = store.why.peek();
    const chain = store.chain.peek();
    const lit = [selected, hovered].filter((seq) => seq !== null);
    const partners = new Set(lit.map((seq) => partnerOf(store.log.entries, /** @type {number} */ (seq))));
    const here = plan.rowOf(shown)?.index;
    const back = !store.atEnd.peek();
    return (/** @type {Row} */ row) => {
      let state = "";
      if (row.seq === selected || (selected !== null && row.members?.includes(selected))) state += " selected";
      if (row.seq === hovered) state += " hovered";
      if (partners.has(row.seq)) state += " partner";
      if (back && row.index === here) state += " here";
      if (why && selected !== null) state += chain.has(row.seq) ? " chained" : " aside";
      return state;
    };
  }

  /** The way the cause took: along the arrows and, between them, down the lanes. @param {import("../layout.js").Plan} plan */
  drawRay(plan) {
    const { top, bottom, origin } = this.drawn;
    let d = "";
    if (this.store.why.peek()) {
      /** @type {{x: number, y: number} | null} */
      let last = null;
      for (const seq of this.store.chain.peek()) {
        const row = plan.rowOf(seq);
        if (!row || row.seq !== seq) continue;
        const x = this.across.x(row.from);
        const y = row.y + 16;
        if (last && row.y + row.height >= top && last.y <= bottom)
          d += `M${last.x} ${last.y - origin}${last.x === x ? "" : `H${x}`}V${y - origin}`;
        const end = row.to < 0 ? { x, y } : { x: this.across.x(row.to), y: y + 4 };
        if (row.to >= 0 && row.y + row.height >= top && row.y <= bottom) d += `M${x} ${y - origin}L${end.x} ${end.y - origin}`;
        last = end;
      }
    }
    this.ray.setAttribute("d", d);
  }
}
