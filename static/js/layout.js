/**
 * From entries to positions: pure, and prefix-stable.
 *
 * `layout(entries, cursor, options)` gives rows from the top down, one an entry that the options let through.
 * A row's place depends only on what came before it, so a longer log never moves what is drawn, stepping back
 * is drawing fewer rows, and `Plan.extend` may add to a layout instead of making it again.
 *
 * Height is order, not time: every message gets the same room, and time that passes between two of them is
 * compressed to a gap that says how long it was. Runs of housekeeping fold into one row whose height does not
 * depend on how many there are. What a query does not let through is left out, or folded too where it says `rest:folded`.
 *
 *     entries   #1 at 0.0  #2 at 0.1 (heartbeat)  #3 at 0.2 (heartbeat)  #4 at 9.0
 *     rows      y=0  #1 | y=ROW  fold of #2, #3 | y=ROW+FOLD+gap(8.8 s)  #4
 */
import { Lanes } from "./lanes.js";
import { isHeld } from "./log.js";
import { compile, parse } from "./query.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Layer} Layer */
/**
 * @typedef {{
 *   altitude: Layer, foldHeartbeats: boolean, participants?: ReadonlySet<string> | null, text?: string,
 *   expected?: readonly string[], focus?: ReadonlySet<string> | null, say?: (entry: Entry) => string, entries?: readonly Entry[],
 *   answers?: import("./answers.js").Found, arrangement?: import("./lanes.js").Arrangement,
 * }} Options  with a `focus` only these participants' lanes are there, and what passes between them; `text` is a query (query.js), which
 *   looks through the sentences that `say` gives and back into `entries`, the journal, and takes `answers` for what the cluster has found in bodies
 * @typedef {{
 *   index: number, seq: number, entry: Entry, y: number, height: number, gap: number, gapHeight: number,
 *   from: number, to: number, time: number, members: number[] | null, rest: boolean,
 * }} Row  `y` is the row's top below its gap; `to` is -1 for notes; `members` are the seqs of a fold, `rest` says that no query let them through
 */

export const ROW = 28;
export const NOTE = 30;
export const FOLD = 22;
/** The number of layers that are drawn at each altitude. @type {Record<Layer, number>} */
export const ALTITUDES = { story: 0, http: 1, tls: 2, tcp: 3 };
const GAP_SECONDS_MIN = 0.01;
/** From here on a gap says how long it was. */
export const GAP_SECONDS_TOLD = 0.5;
/** A start of fewer rows is not worth folding on the timeline. */
const BOOT_ROWS_MIN = 20;

/** Pixels that a pause of so many seconds gets. @param {number} seconds */
export function gapHeight(seconds) {
  if (seconds < GAP_SECONDS_MIN) return 0;
  if (seconds < GAP_SECONDS_TOLD) return 6;
  return Math.round(26 + Math.min(18, 6 * Math.log10(seconds / GAP_SECONDS_TOLD)));
}

/** Whether it may be drawn at all, at some altitude. @param {Entry} entry @param {ReadonlySet<string>} participants  the lanes that are chosen; none: all @param {Lanes} lanes */
function passes(entry, participants, lanes) {
  // A sealed fault is for finding out: it is told once it is over.
  if (entry.kind === "fault.started" && entry.fields.sealed) return false;
  return (
    participants.size === 0 || participants.has(lanes.of(entry.from).id) || (entry.to !== null && participants.has(lanes.of(entry.to).id))
  );
}

export class Plan {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.query = parse(options.text ?? "");
    this.test = compile(this.query, options);
    const hides = options.arrangement?.hides && (this.test !== null || Boolean(options.participants?.size));
    this.lanes = new Lanes(options.expected ?? [], options.focus ?? undefined, options.arrangement, hides);
    this.chosen = new Set([...(options.participants ?? [])].map((lane) => this.lanes.idOf(lane)));
    /** @type {Row[]} */
    this.rows = [];
    this.height = 0;
    /** The last seq looked at, drawn or not. */
    this.seq = 0;
    /** How many entries were let through, folded ones too. */
    this.count = 0;
    /** How many of them are no heartbeats. */
    this.events = 0;
    /** How many more a query would let through at a lower altitude. */
    this.deeper = 0;
    /** How many of the first rows are the cluster's start: what came before the first command, fault or pause. 0 while it lasts, or where it is short. */
    this.boot = 0;
    this.booting = true;
    /** When the last drawn entry arrived. @type {number | null} */
    this.time = null;
  }

  /** Look at entries that follow those seen so far. @param {readonly Entry[]} entries @param {number} [from] index of the first */
  extend(entries, from = 0) {
    for (let i = from; i < entries.length; i += 1) this.add(entries[i]);
    return this;
  }

  /** @param {Entry} entry */
  add(entry) {
    this.seq = entry.seq;
    if (!isHeld(entry)) return;
    if (!this.lanes.has(entry.from) || (entry.to !== null && !this.lanes.has(entry.to))) return;
    const from = this.lanes.of(entry.from);
    const to = entry.to === null ? null : this.lanes.of(entry.to);
    if (entry.kind === "process.started" || entry.kind === "process.exited") this.lanes.live(entry, this.height);
    if (!passes(entry, this.chosen, this.lanes)) return;
    const drawn = ALTITUDES[entry.layer] <= ALTITUDES[this.options.altitude];
    const rest = this.test !== null && !this.test(entry);
    if (!drawn) {
      if (this.test && !rest) this.deeper += 1;
      return;
    }
    if (rest && !this.query.folds) return;
    if (!rest) {
      this.lanes.show(from);
      if (to) this.lanes.show(to);
      this.count += 1;
      if (!entry.heartbeat) this.events += 1;
    }
    const time = entry.arrived ?? entry.at;
    const last = this.rows[this.rows.length - 1];
    const folds = rest || (this.options.foldHeartbeats && entry.heartbeat);
    if (folds && last?.members && last.rest === rest) {
      last.members.push(entry.seq);
      this.time = time;
      return;
    }
    const gap = this.time === null ? 0 : Math.max(0, time - this.time);
    if (
      this.booting &&
      this.rows.length > 0 &&
      (gap >= GAP_SECONDS_TOLD || entry.kind === "command.started" || entry.kind === "fault.started")
    ) {
      this.booting = false;
      this.boot = this.rows.length >= BOOT_ROWS_MIN ? this.rows.length : 0;
    }
    const above = gapHeight(gap);
    const height = folds ? FOLD : to ? ROW : NOTE;
    this.rows.push({
      index: this.rows.length,
      seq: entry.seq,
      entry,
      y: this.height + above,
      height,
      gap,
      gapHeight: above,
      from: from.index,
      to: to ? to.index : -1,
      time,
      members: folds ? [entry.seq] : null,
      rest,
    });
    this.height += above + height;
    this.time = time;
  }

  /** How many rows begin at or before this seq: what is drawn when the cursor stands there. @param {number} seq */
  rowsAt(seq) {
    return firstIndex(this.rows, (row) => row.seq > seq);
  }

  /** The row that shows this seq, or the one before it where it is not drawn. @param {number} seq @returns {Row | null} */
  rowOf(seq) {
    return this.rows[this.rowsAt(seq) - 1] ?? null;
  }

  /** The row at this height, or the nearest above it. @param {number} y */
  rowAtHeight(y) {
    return Math.max(0, firstIndex(this.rows, (row) => row.y - row.gapHeight > y) - 1);
  }

  /** Does this seq have a row of its own? @param {number} seq */
  shows(seq) {
    const row = this.rowOf(seq);
    return row !== null && !row.rest && (row.members ? row.members.includes(seq) : row.seq === seq);
  }

  /** Height of everything drawn when the cursor stands at this seq. @param {number} seq */
  heightAt(seq) {
    const row = this.rowOf(seq);
    return row ? row.y + row.height : 0;
  }
}

/** The first index for which the test holds; the list must be ordered by it. @template T @param {readonly T[]} list @param {(item: T) => boolean} test */
export function firstIndex(list, test) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How many of a fold's members have happened at this seq. @param {Row} row @param {number} seq */
export function foldedAt(row, seq) {
  return row.members ? firstIndex(row.members, (member) => member > seq) : 0;
}

/** The picture at a cursor, made from nothing. @param {readonly Entry[]} entries @param {number} cursor @param {Options} options */
export function layout(entries, cursor, options) {
  const plan = new Plan(options).extend(entries.slice(0, cursor));
  return { lanes: plan.lanes.list, rows: plan.rows, height: plan.height };
}
