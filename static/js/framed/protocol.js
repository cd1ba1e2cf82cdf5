/**
 * What a page that holds a run in a frame may say to it, and is told: docs/embedding.md. Pure but for its clock.
 *
 *     in    {type: "glassplane:step", by: 1}, {type: "glassplane:goto", seq: 812}, {type: "glassplane:play"}, {type: "glassplane:pause"}
 *     out   {type: "glassplane:ready", …}, {type: "glassplane:position", …}
 *
 * Whatever else is said is passed over, and so is what comes too fast. Nobody is heard but the page that holds the frame,
 * and that only under the origin that the frame's address names, if it names one.
 */

const BURST = 40;
const PER_SECOND = 20;
const STEP_MS_LEAST = 200;
const STEP_MS_MOST = 60_000;

/** @typedef {{step: (by: 1 | -1) => void, goTo: (seq: number) => void, play: (everyMs?: number) => void, pause: () => void}} Deeds */

/** Whom a frame listens to, by its address: an origin, "*" for whichever page holds it, null for nobody. @param {string} search */
export function originOf(search) {
  const asked = new URLSearchParams(search).get("origin");
  if (asked === null) return "*";
  try {
    return new URL(asked).origin === asked ? asked : null;
  } catch {
    return null;
  }
}

/** @param {{deeds: Deeds, parent: unknown, origin: string | null, now?: () => number}} parts */
export function createListener({ deeds, parent, origin, now = () => performance.now() }) {
  let left = BURST;
  let at = now();

  /** Is there room for one more? */
  function take() {
    left = Math.min(BURST, left + ((now() - at) / 1000) * PER_SECOND);
    at = now();
    if (left < 1) return false;
    left -= 1;
    return true;
  }

  /** @param {{source: unknown, origin: string, data: unknown}} event */
  return function hear({ source, origin: from, data }) {
    if (origin === null || source !== parent || (origin !== "*" && from !== origin)) return;
    if (typeof data !== "object" || data === null || !take()) return;
    const { type, by = 1, seq, every } = /** @type {Record<string, unknown>} */ (data);
    if (type === "glassplane:step" && (by === 1 || by === -1)) deeds.step(by);
    else if (type === "glassplane:goto" && Number.isSafeInteger(seq) && Number(seq) > 0) deeds.goTo(Number(seq));
    else if (type === "glassplane:pause") deeds.pause();
    else if (type === "glassplane:play") {
      if (every === undefined) deeds.play();
      else if (typeof every === "number" && every >= STEP_MS_LEAST && every <= STEP_MS_MOST) deeds.play(every);
    }
  };
}
