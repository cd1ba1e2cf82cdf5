/**
 * Where rows stand along the timeline: a step for each, but the start of the cluster folded into few. Pure.
 *
 * Over half of a young journal is components that come up, within one instant: what the reader did not do. Folded it takes
 * a small part of the strip instead of the greater one. The steps are whole numbers, so that the strip can be gone along
 * by keys, and the rows after the start have one each, as if nothing were folded. Measured by time instead, the steps after
 * the start are equal spans of it: what happens at one instant falls on one place, and a pause is as wide as it was long.
 * `zoomed` shows some of the steps only,
 * a page of them at a time, so that what is dragged does not run away from under the pointer.
 */

import { firstIndex } from "./layout.js";

/** The share of the strip that the folded start takes. */
const SHARE = 0.04;
export const ZOOM_MAX = 64;
const TIME_STEPS = 2000;

/** @typedef {ReturnType<typeof scaleOf>} Scale */

/** @param {number} rows @param {number} folded how many of them are the start; 0: nothing is folded */
export function scaleOf(rows, folded) {
  const after = rows - folded;
  const start = folded > 0 ? Math.max(1, Math.round((after * SHARE) / (1 - SHARE))) : 0;
  return {
    /** How many steps there are, and how many of them are the start's. */
    steps: start + after,
    start,
    /** The place at which so many rows are behind, in steps. @param {number} behind */
    at: (behind) => (behind < folded ? (start * behind) / folded : start + behind - folded),
    /** How many rows are behind at a step. @param {number} step */
    behind: (step) => (step < start ? Math.round((folded * step) / start) : folded + step - start),
    /** The middle of a row, by its index. @param {number} index */
    middle(index) {
      return (this.at(index) + this.at(index + 1)) / 2;
    },
  };
}

/** The scale by time; by rows where no time passes. @param {readonly {time: number}[]} rows @param {number} folded @returns {Scale} */
export function timeScaleOf(rows, folded) {
  const begin = rows[Math.max(0, folded - 1)]?.time ?? 0;
  const span = (rows[rows.length - 1]?.time ?? 0) - begin;
  if (span <= 0) return scaleOf(rows.length, folded);
  const start = folded > 0 ? Math.round(TIME_STEPS * SHARE) : 0;
  const placed = (/** @type {number} */ behind) => start + (TIME_STEPS * Math.max(0, rows[behind - 1].time - begin)) / span;
  const after = (/** @type {number} */ step) => {
    const time = begin + ((step - start) / TIME_STEPS) * span;
    return step >= start + TIME_STEPS
      ? rows.length
      : Math.max(
          folded,
          firstIndex(rows, (row) => row.time > time),
        );
  };
  return {
    steps: start + TIME_STEPS,
    start,
    at: (behind) => (behind === 0 ? 0 : behind < folded ? (start * behind) / folded : placed(behind)),
    behind: (step) => (step < start ? Math.round((folded * step) / start) : after(step)),
    middle(index) {
      return this.at(index + 1);
    },
  };
}

/** How many rows are behind after a move to a step; a key that goes one step along a pause goes to its end. @param {Scale} scale @param {number} behind @param {number} step @param {number} rows */
export function movedTo(scale, behind, step, rows) {
  const to = scale.behind(step);
  const by = step - Math.round(scale.at(behind));
  return to === behind && Math.abs(by) === 1 ? Math.max(0, Math.min(rows, behind + by)) : to;
}

/** The steps in view: all of them, or the page of them that a place lies on. @param {number} steps @param {number} at @param {number} zoom @returns {{from: number, to: number}} */
export function zoomed(steps, at, zoom) {
  const size = Math.max(1, Math.ceil(steps / zoom));
  const from = Math.min(Math.floor(Math.max(0, at - 1) / size) * size, Math.max(0, steps - size));
  return { from, to: Math.min(steps, from + size) };
}
