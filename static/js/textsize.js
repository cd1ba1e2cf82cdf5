/**
 * How large everything is written. All lengths of the style sheets are rems, ten pixels each as most see them, so one factor
 * at the root (and whatever the reader's browser makes of its own text size) carries the whole page; what modules measure in
 * pixels they turn into the same units by `scale`. theme.js sets the kept factor before the first paint.
 */

const KEY = "glassplane.text-size";
const REM = 10;
export const SIZES = [0.85, 1, 1.15, 1.3, 1.5, 1.75, 2];
const PRESENTED_MIN = 1.5;
/** What the window hears when everything has got another size. */
export const RESIZED = "glassplane:resized";

const root = () => document.documentElement;

/** The factor that the reader has chosen. */
export const textSize = () => Number(root().style.getPropertyValue("--text-size")) || 1;

/** Pixels to a unit of ten to the rem: the chosen factor, the presentation's, and the browser's own text size together. */
export const scale = () => Number.parseFloat(getComputedStyle(root()).fontSize) / REM || 1;

/** Is the window narrower than this, in units? @param {number} units */
export const narrower = (units) => innerWidth / scale() < units;

/** Is the window lower than this, in units? @param {number} units */
export const lower = (units) => innerHeight / scale() < units;

/** The next factor up or down, or the same at an end. @param {number} size @param {1 | -1} by */
export const nextSize = (size, by) => (by > 0 ? SIZES.find((one) => one > size) : SIZES.findLast((one) => one < size)) ?? size;

/** @param {number} size */
export function chooseSize(size) {
  root().style.setProperty("--text-size", String(size));
  try {
    localStorage.setItem(KEY, String(size));
  } catch {
    // No storage: the size lasts as long as the page.
  }
  dispatchEvent(new Event(RESIZED));
}

/** Begin or end the presentation: a picture of 800 by 450 units fills whatever it is thrown on. @param {boolean} on */
export function enlarge(on) {
  root().toggleAttribute("data-presenting", on);
  if (on) root().style.setProperty("--presented", Math.max(PRESENTED_MIN, Math.min(innerWidth / 800, innerHeight / 450)).toFixed(2));
  else root().style.removeProperty("--presented");
  dispatchEvent(new Event(RESIZED));
}
