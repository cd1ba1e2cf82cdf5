/**
 * How a beat wants the diagram to be looked at, and whether the reader still looks at it so. Pure.
 *
 * A beat stands at one entry, its anchor: the cursor is there, the entry is selected, the altitude is the beat's, only
 * its lanes are drawn, heartbeats are folded (unless the anchor is one) and nothing else hides a message. Opening the
 * drawer or unfolding heartbeats is reading, not wandering.
 */

/** @typedef {import("../log.js").Layer} Layer */
/** @typedef {import("../store.js").Tab} Tab */
/** @typedef {{altitude: Layer, focus: ReadonlySet<string>, seq: number, tab: Tab | null, foldHeartbeats: boolean}} View */
/**
 * @typedef {{altitude: Layer, focus: ReadonlySet<string>, participants: ReadonlySet<string>, text: string,
 *   cursor: number | null, head: number, selected: number | null, inView: boolean}} Look  how the reader looks now
 */

/** @param {{layer?: Layer | null, focus?: readonly string[] | null, open?: Tab | null}} beat @param {number} seq of its anchor @param {boolean} [heartbeat] whether that is one @returns {View} */
export function viewOf(beat, seq, heartbeat = false) {
  return {
    altitude: beat.layer ?? "story",
    focus: new Set(beat.focus ?? []),
    seq,
    tab: beat.open ?? null,
    foldHeartbeats: !heartbeat,
  };
}

/** @param {View} view @param {Look} look */
export function hasWandered(view, look) {
  const at = look.cursor ?? look.head;
  return (
    look.altitude !== view.altitude ||
    at !== view.seq ||
    look.selected !== view.seq ||
    !look.inView ||
    look.participants.size > 0 ||
    look.text.trim() !== "" ||
    !same(look.focus, view.focus)
  );
}

/** @param {ReadonlySet<string>} a @param {ReadonlySet<string>} b */
const same = (a, b) => a.size === b.size && [...a].every((one) => b.has(one));
