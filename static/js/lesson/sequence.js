/**
 * A small sequence diagram of a few messages: lanes in order of appearance, one row a message. Pure.
 *
 *     [{from: "client", to: "server", label: "hello"}]   lanes client, server; an arrow from 0 to 1
 */

/** @typedef {{from: string, to: string | null, label: string, note?: string, missing?: boolean}} Message  `to` null: something done alone */
/** @typedef {{from: number, to: number, label: string, note: string, missing: boolean}} Step */

/** @param {readonly Message[]} messages */
export function sequence(messages) {
  /** @type {string[]} */
  const lanes = [];
  const at = (/** @type {string} */ name) => {
    if (!lanes.includes(name)) lanes.push(name);
    return lanes.indexOf(name);
  };
  /** @type {Step[]} */
  const steps = messages.map(({ from, to, label, note = "", missing = false }) => ({
    from: at(from),
    to: to === null ? -1 : at(to),
    label,
    note,
    missing,
  }));
  return { lanes, steps };
}

/** A lane's name in one line, or in two where it is long: "kubelet (worker-2)", "kube-controller-manager". @param {string} name @returns {string[]} */
export function laneLines(name) {
  const cut = name.includes(" ") ? name.indexOf(" ") : name.length > 15 ? name.lastIndexOf("-") : -1;
  return cut < 0 ? [name] : [name.slice(0, cut + 1).trim(), name.slice(cut + 1)];
}

/**
 * What really crossed the wire, in the order in which it arrived; what has not been seen yet comes last.
 * @param {readonly string[]} names @param {Record<string, {seq: number}>} held @param {(seq: number) => import("../log.js").Entry | null} entryOf
 * @param {(seconds: number) => string} duration
 */
export function captured(names, held, entryOf, duration) {
  const entries = names.flatMap((name) => (held[name] && entryOf(held[name].seq)) || []).sort((a, b) => a.seq - b.seq);
  const first = entries[0];
  /** @type {Message[]} */
  const messages = entries.map((entry) => ({
    from: entry.from,
    to: entry.to,
    label: entry.label,
    note:
      entry === first
        ? `#${entry.seq}`
        : `#${entry.seq} · +${duration(Math.max(0, (entry.arrived ?? entry.at) - (first.arrived ?? first.at)))}`,
  }));
  return { entries, messages, missing: names.length - entries.length };
}
