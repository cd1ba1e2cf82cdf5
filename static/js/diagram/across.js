/**
 * Where lanes stand across the diagram, in its units, while pinned ones stay at the left edge as columns of a sheet do.
 *
 * Scrolled by `left`, a pinned lane stands so much further right on the canvas, and the others pass away behind the edge of
 * the pinned ones. What is drawn to a lane behind the edge ends at the edge, which is no lane: it goes on to where nothing
 * is in view. Pinned lanes that would leave no room for two others scroll away as all do.
 *
 *     left 0      | etcd | api | you | kubelet |         etcd pinned
 *     left 100    | etcd || ou | kubelet |               "api" is behind the edge, and so is the middle of "you"
 */

/** Where the first lane begins. */
export const LEFT = 4;
/** So many lanes besides the pinned ones have room. */
const OTHERS_MIN = 2;

/** How many of the pinned lanes stay. @param {number} pinned @param {number} lanes @param {number} room @param {number} laneWidth */
export const staying = (pinned, lanes, room, laneWidth) =>
  pinned < lanes ? Math.max(0, Math.min(pinned, Math.floor((room - LEFT) / laneWidth) - OTHERS_MIN)) : 0;

export class Across {
  /** @param {readonly {slot: number}[]} lanes by index @param {number} laneWidth @param {number} [held] how many slots stay @param {number} [left] how far the rest is scrolled */
  constructor(lanes, laneWidth, held = 0, left = 0) {
    this.lanes = lanes;
    this.laneWidth = laneWidth;
    this.held = held;
    this.left = held ? left : 0;
    /** Where the pinned lanes end; 0 while nothing is behind them. */
    this.edge = this.left ? this.left + LEFT + held * laneWidth : 0;
  }

  /** Where a lane stands as long as nothing is scrolled. @param {number} index */
  unmoved = (index) => Math.round((this.lanes[index].slot + 0.5) * this.laneWidth) + LEFT;

  /** @param {number} index */
  isHeld = (index) => this.lanes[index].slot < this.held;

  /** @param {number} index */
  isBehind = (index) => !this.isHeld(index) && this.unmoved(index) < this.edge;

  /** The middle of a lane, or the edge that it is behind. @param {number} index */
  x = (index) => (this.isHeld(index) ? this.unmoved(index) + this.left : Math.max(this.unmoved(index), this.edge));
}
