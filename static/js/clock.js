/**
 * The cluster's clock as the page shows it. Pure: what is heard, and what to show at a moment of the page.
 *
 * The server tells the clock every two seconds or so, and whenever it is turned. In between the page lets it go on by
 * itself, at the pace it really reaches. What has been shown while time runs is never taken back: where the page was
 * too fast, it stands until it is right again. A server that says nothing for long is not believed to go on.
 */

/**
 * `pace` null: as fast as it goes. `reached`: the pace it really goes at, where that is another. In real seconds: how
 * far it is `behind` and will catch up, what was given up since it was last turned because the machine `slept` or the
 * cluster cannot keep up (`overrun`). `heardAt`: milliseconds of the page. `floor`: what has been shown.
 * @typedef {{now: number, pace: number | null, paused: boolean, reached: number | null, behind: number, slept: number, overrun: number, heardAt: number, floor: number}} Clock
 */

/** @typedef {Omit<Clock, "heardAt" | "floor">} Told */

const LEVEL = { reached: null, behind: 0, slept: 0, overrun: 0 };
const ALONE_SECONDS_MAX = 3;
const NOTABLE_SECONDS = 1;
const SLOW = 0.95;

/** @type {Clock} */
export const UNHEARD = { now: 0, pace: 1, paused: false, ...LEVEL, heardAt: -Infinity, floor: 0 };

/** Seconds to show at a moment; `goesOn`: the cluster runs and the page is connected. @param {Clock} clock @param {number} at @param {boolean} goesOn */
export function shownAt(clock, at, goesOn) {
  const { now, paused, heardAt, floor } = clock;
  const rate = clock.reached ?? clock.pace;
  const heardAgo = (at - heardAt) / 1000;
  if (paused || rate === null || !goesOn || !(heardAgo > 0 && heardAgo < Infinity)) return Math.max(now, floor);
  return Math.max(now + Math.min(heardAgo, ALONE_SECONDS_MAX) * rate, floor);
}

/** What the server tells. A clock that stands shows what it is told. @param {Clock} before @param {Partial<Told>} told @param {number} at @param {boolean} goesOn @returns {Clock} */
export function heard(before, told, at, goesOn) {
  const { now, pace, paused, reached, behind, slept, overrun } = { ...UNHEARD, ...told };
  const floor = paused || before.paused ? 0 : shownAt(before, at, goesOn);
  return { now, pace, paused, reached, behind, slept, overrun, heardAt: at, floor };
}

/** Turned on this page, before the server has told. @param {Clock} before @param {{pace?: number, paused?: boolean}} how @param {number} at @param {boolean} goesOn @returns {Clock} */
export function turned(before, how, at, goesOn) {
  const now = shownAt(before, at, goesOn);
  return { ...before, ...how, ...LEVEL, now, floor: now, heardAt: at };
}

/** No more is heard for now: it stands where it is. @param {Clock} before @param {number} at @param {boolean} goesOn @returns {Clock} */
export function unheard(before, at, goesOn) {
  const now = shownAt(before, at, goesOn);
  return { ...before, ...LEVEL, now, floor: now, heardAt: -Infinity };
}

/** How it keeps its pace, if there is anything to say. @param {Clock} clock @returns {"slow" | "behind" | "leftOut" | null} */
export function standing({ pace, paused, reached, behind, slept, overrun }) {
  if (paused || pace === null) return null;
  if (reached !== null && reached < SLOW * pace) return "slow";
  if (behind >= NOTABLE_SECONDS) return "behind";
  return slept + overrun >= NOTABLE_SECONDS ? "leftOut" : null;
}
