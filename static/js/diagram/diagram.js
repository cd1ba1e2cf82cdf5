/**
 * The sequence diagram: only the rows in view are in the document, whatever the length of the log.
 *
 * It is told nothing but the store, and draws again (at most once a frame) when something it read has moved.
 * The canvas covers the window and a margin around it; rows inside are placed relative to it, so that large
 * heights lose no precision.
 */
import { effect } from "@preact/signals-core";
import { partnerOf } from "../causes.js";
import { RowView, element, set } from "./rowview.js";

/** @typedef {import("../store.js").Store} Store */
/** @typedef {import("../actions.js").Actions} Actions */
/** @typedef {import("../layout.js").Row} Row */
/** @typedef {import("../strings.js").Strings} Strings */

const MARGIN = 360;
const AXIS = 88;
/** A component's name has room in it, in two or three lines. */
const LANE_MIN = 70;
const BOTTOM = 56;
/** Of a command's line so much is in view, in pixels. */
const COMMAND_SEEN = 180;
/** How many rows at most are looked through for a command. */
const NEWEST = 100;

export class Diagram {
  /** @param {{scroller: HTMLElement, body: HTMLElement, store: Store, actions: Actions, strings: Strings, onWidth: (laneWidth: number, width: number) => void}} parts */
  constructor({ scroller, body, store, actions, strings, onWidth }) {
    this.scroller = scroller;
    this.body = body;
    this.store = store;
    this.actions = actions;
    this.strings = strings;
    this.onWidth = onWidth;
    this.canvas = element("svg", "canvas", body);
    this.idle = element("path", "lifeline idle", this.canvas);
    this.alive = element("path", "lifeline alive", this.canvas);
    this.ray = element("path", "ray", this.canvas);
    this.rows = element("g", "rows", this.canvas);
    this.edge = element("path", "edge", this.canvas);
    const axis = document.createElement("div");
    axis.className = "axis";
    axis.setAttribute("aria-hidden", "true");
    body.append(axis);
    this.axis = element("svg", "axis-canvas", axis);
    for (const node of [this.canvas, this.rows]) node.setAttribute("role", "presentation");
    for (const node of [this.idle, this.alive, this.ray, this.edge]) node.setAttribute("aria-hidden", "true");
    /** @type {Map<number, RowView>} */
    this.views = new Map();
    /** @type {RowView[]} */
    this.pool = [];
    this.laneWidth = 100;
    this.width = 0;
    this.full = 0;
    this.frame = 0;
    this.chase = false;
    this.lastTop = 0;
    /** Up to which entry commands were looked for, to scroll sideways to them. */
    this.placed = 0;
    /** @type {import("../layout.js").Plan | null} */
    this.plan = null;
    /** Rows drawn before this stamp must be drawn anew: other plan, other width, other words. */
    this.stamp = "";
    this.listen();
  }

  listen() {
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // What the reader stands on stays in view when there is less room for it.
    new ResizeObserver(() => {
      this.chase ||= this.store.inView.peek();
      this.schedule();
    }).observe(this.scroller);
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
      if (this.store.picture.peek().plan.rowOf(seq)?.members) this.store.foldHeartbeats.value = false;
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
      ];
      this.schedule();
    });
    /** Keep in view what the reader stands on, when they move it and not while they scroll. */
    effect(() => {
      const { selected, cursor, altitude, drawer, filtered, focus, recalled } = this.store;
      void [selected.value, cursor.value, altitude.value, drawer.value, filtered.value, focus.value, recalled.value];
      this.chase = true;
      this.schedule();
    });
  }

  /**
   * Going up lets go of the live end, reaching the bottom takes hold of it again; panes that change size do neither. Nor
   * does what `draw` has scrolled: its event comes a frame later, when somebody may have gone elsewhere.
   */
  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (this.store.cursor.peek() === null) {
      const atEnd = scrollTop + clientHeight >= scrollHeight - 30;
      if (atEnd && scrollTop !== this.lastTop) this.store.follow.value = true;
      else if (!atEnd && scrollTop < this.lastTop - 1) this.store.follow.value = false;
    }
    this.lastTop = scrollTop;
    this.schedule();
  }

  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  /** Lane widths for the room there is. Returns the width of the canvas. @param {number} lanes */
  measure(lanes) {
    const room = this.scroller.clientWidth - AXIS - 8;
    const laneWidth = Math.max(LANE_MIN, Math.floor(room / Math.max(1, lanes)));
    /** @type {number} */
    const width = laneWidth * lanes + 8;
    if (laneWidth !== this.laneWidth || width !== this.width) {
      this.laneWidth = laneWidth;
      this.width = width;
      this.onWidth(laneWidth, width);
    }
    return width;
  }

  draw() {
    const { store, scroller } = this;
    const { plan } = store.picture.peek();
    const shown = store.shown.peek();
    const width = this.measure(plan.lanes.list.length);
    const count = plan.rowsAt(shown);
    const height = plan.heightAt(shown);
    const view = scroller.clientHeight;
    /** @type {number} */
    const full = Math.max(height + BOTTOM, view - this.body.offsetTop - 2);
    if (full !== this.full) {
      this.full = full;
      this.body.style.height = `${full}px`;
    }
    this.body.style.width = `${width + AXIS}px`;
    if (count) this.body.setAttribute("role", "listbox");
    else this.body.removeAttribute("role");
    this.place(plan, shown, height);
    this.lastTop = scroller.scrollTop;
    this.tellInView(plan);
    const top = Math.max(0, scroller.scrollTop - MARGIN);
    const bottom = Math.min(full, scroller.scrollTop + view + MARGIN);
    const first = plan.rowAtHeight(top);
    let end = count === 0 ? 0 : Math.min(count, plan.rowAtHeight(bottom) + 1);
    if (first > end) end = first;
    this.frameCanvas(top, bottom - top, width);
    this.drawLanes(plan, shown, top, bottom, height);
    this.drawRows(plan, first, end, top, count, shown, width);
    this.drawRay(plan, top, bottom);
  }

  /** Scroll to the live end, or to what the reader has just moved to. @param {import("../layout.js").Plan} plan @param {number} shown @param {number} height */
  place(plan, shown, height) {
    const { store, scroller } = this;
    const chase = this.chase;
    this.chase = false;
    if (chase && store.selected.peek()) this.placeAcross(plan.rowOf(store.selected.peek() ?? 0));
    else if (store.follow.peek() && store.cursor.peek() === null) this.placeCommand(plan);
    if (store.follow.peek() && (store.cursor.peek() === null || chase)) {
      const bottom = height + BOTTOM + this.body.offsetTop - scroller.clientHeight;
      if (
        store.cursor.peek() === null ||
        bottom < scroller.scrollTop ||
        height > scroller.scrollTop + scroller.clientHeight - this.body.offsetTop
      )
        scroller.scrollTop = Math.max(0, bottom);
      return;
    }
    const row = chase && store.selected.peek() ? plan.rowOf(Math.min(shown, store.selected.peek() ?? 0)) : null;
    if (!row) return;
    const room = scroller.clientHeight - this.body.offsetTop;
    if (row.y - row.gapHeight < scroller.scrollTop + 8) scroller.scrollTop = Math.max(0, row.y - row.gapHeight - room * 0.3);
    else if (row.y + row.height > scroller.scrollTop + room - 28) scroller.scrollTop = row.y + row.height - room * 0.7;
  }

  /** Say whether the selected row can be seen. @param {import("../layout.js").Plan} plan */
  tellInView(plan) {
    const seq = this.store.selected.peek();
    const row = seq === null ? null : plan.rowOf(seq);
    const { scrollTop, clientHeight } = this.scroller;
    this.store.inView.value = !row || (row.y + row.height > scrollTop && row.y < scrollTop + clientHeight - this.body.offsetTop);
  }

  /** Whoever types a line sees where. @param {import("../layout.js").Plan} plan */
  placeCommand(plan) {
    const rows = plan.rows.slice(-NEWEST).filter(({ seq }) => seq > this.placed);
    this.placed = plan.seq;
    const row = rows.findLast(({ entry }) => entry.kind === "command.started");
    if (!row) return;
    const [x, left] = [this.laneX(row.from), this.scroller.scrollLeft];
    if (x < left || x + COMMAND_SEEN > left + this.scroller.clientWidth - AXIS)
      this.scroller.scrollLeft = Math.max(0, x - this.laneWidth / 2);
  }

  /** Scroll sideways until both ends of a message are in view, the one it comes from first. @param {Row | null} row */
  placeAcross(row) {
    if (!row) return;
    const room = this.scroller.clientWidth - AXIS;
    const half = this.laneWidth / 2;
    const ends = [row.from, row.to < 0 ? row.from : row.to].map(this.laneX);
    const [low, high] = [Math.min(...ends) - half, Math.max(...ends) + half];
    const left = this.scroller.scrollLeft;
    if (high > left + room) this.scroller.scrollLeft = Math.min(high - room, ends[0] - half);
    if (low < this.scroller.scrollLeft) this.scroller.scrollLeft = Math.max(0, low, ends[0] + half - room);
  }

  /** @param {number} top @param {number} height @param {number} width */
  frameCanvas(top, height, width) {
    this.canvas.style.transform = `translate(${AXIS}px, ${top}px)`;
    this.axis.style.transform = `translateY(${top}px)`;
    set(this.canvas, { width, height });
    set(this.axis, { width: AXIS, height });
  }

  /** The middle of a lane, by its index. */
  laneX = (/** @type {number} */ index) => Math.round((this.store.picture.peek().plan.lanes.list[index].slot + 0.5) * this.laneWidth) + 4;

  /** A line for every participant, faint while no process of it runs. @param {import("../layout.js").Plan} plan @param {number} shown @param {number} top @param {number} bottom @param {number} height */
  drawLanes(plan, shown, top, bottom, height) {
    let idle = "";
    let alive = "";
    for (const lane of plan.lanes.list) {
      const x = this.laneX(lane.index) + 0.5;
      idle += `M${x} 0V${bottom - top}`;
      for (const life of lane.lives) {
        if (life.seq > shown) break;
        const end = life.endY === null || (life.endSeq ?? 0) > shown ? height : life.endY;
        const [from, to] = [Math.max(top, life.y), Math.min(bottom, end)];
        if (to > from) alive += `M${x} ${from - top}V${to - top}`;
      }
    }
    this.idle.setAttribute("d", idle);
    this.alive.setAttribute("d", alive);
    set(this.edge, { d: height > top && !this.store.atEnd.peek() ? `M0 ${height - top + 4.5}H${this.width}` : "" });
  }

  /** @param {import("../layout.js").Plan} plan @param {number} first @param {number} end @param {number} top @param {number} count @param {number} shown @param {number} width */
  drawRows(plan, first, end, top, count, shown, width) {
    const { store, strings } = this;
    const stamp = `${this.laneWidth} ${plan.lanes.list.length} ${strings.language.peek()}`;
    const anew = this.stamp !== stamp || this.plan !== plan;
    this.stamp = stamp;
    this.plan = plan;
    for (const [index, view] of this.views) {
      if (index >= first && index < end) continue;
      this.views.delete(index);
      view.group.remove();
      view.axis.remove();
      this.pool.push(view);
    }
    const moods = this.moods(plan, shown);
    for (let index = first; index < end; index += 1) {
      const row = plan.rows[index];
      let view = this.views.get(index);
      if (!view) {
        view = this.pool.pop() ?? new RowView();
        this.views.set(index, view);
        this.rows.append(view.group);
        this.axis.append(view.axis);
        view.row = null;
      }
      if (anew || view.row !== row || row.members) {
        view.show(row, {
          laneX: this.laneX,
          width,
          head: shown,
          t: strings.t,
          say: strings.say,
          label: strings.label,
          language: strings.language.peek(),
          previous: plan.rows[index - 1],
        });
      }
      view.moveTo(row.y - top);
      view.mood(moods(row), row.seq === store.selected.peek(), index + 1, count);
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

  /** The way the cause took: along the arrows and, between them, down the lanes. @param {import("../layout.js").Plan} plan @param {number} top @param {number} bottom */
  drawRay(plan, top, bottom) {
    let d = "";
    if (this.store.why.peek()) {
      /** @type {{x: number, y: number} | null} */
      let last = null;
      for (const seq of this.store.chain.peek()) {
        const row = plan.rowOf(seq);
        if (!row || row.seq !== seq) continue;
        const x = this.laneX(row.from);
        const y = row.y + 16;
        if (last && row.y + row.height >= top && last.y <= bottom)
          d += `M${last.x} ${last.y - top}${last.x === x ? "" : `H${x}`}V${y - top}`;
        const end = row.to < 0 ? { x, y } : { x: this.laneX(row.to), y: y + 4 };
        if (row.to >= 0 && row.y + row.height >= top && row.y <= bottom) d += `M${x} ${y - top}L${end.x} ${end.y - top}`;
        last = end;
      }
    }
    this.ray.setAttribute("d", d);
  }
}
