/**
 * The one store of the page: the journal as far as it has arrived.
 *
 * Gap-free and without duplicates by construction: entry `seq` lives at index `seq - 1`, and a batch
 * that does not continue the log is refused, so that the socket can fetch what is missing. What comes again must be
 * what is held: when it is not, the journal has gone another way (`forked`), and what is held of it is no longer true.
 */
import { signal } from "@preact/signals-core";

/** What a replay makes again as it was: @type {readonly (keyof Entry)[]} */
const COMPARED = ["kind", "from", "to", "label"];

/**
 * @typedef {"story" | "http" | "tls" | "tcp"} Layer
 * @typedef {{
 *   seq: number, at: number, arrived: number | null, layer: Layer, kind: string, from: string, to: string | null,
 *   label: string, cause: number | null, trigger: string | null, how?: string | null, after?: number | null, replyTo: number | null,
 *   connection: number | null, stream: number | null, size: number, heartbeat: boolean, fields: Record<string, any>,
 * }} Entry
 */

const LEFT_OUT = "left.out";

/** What stands where an entry is not held: it is on no lane and never drawn. @param {number} seq @returns {Entry} */
export const leftOut = (seq) => ({
  ...{ seq, at: 0, arrived: 0, layer: "tcp", kind: LEFT_OUT, from: "", to: null, label: "" },
  ...{ cause: null, trigger: null, replyTo: null, connection: null, stream: null, size: 0, heartbeat: true, fields: {} },
});

/** Is it held? @param {Entry | undefined} entry */
export const isHeld = (entry) => entry !== undefined && entry.kind !== LEFT_OUT;

export class Log {
  constructor() {
    /** @type {Entry[]} */
    this.entries = [];
    /** The last seq held; the page redraws when it moves. */
    this.head = signal(0);
    this.forked = signal(false);
  }

  /** @param {number | null | undefined} seq @returns {Entry | null} */
  get(seq) {
    const entry = seq ? this.entries[seq - 1] : undefined;
    return entry && isHeld(entry) ? entry : null;
  }

  /**
   * Take what is new of a batch in seq order. False when the batch begins beyond the end: something is missing.
   * @param {readonly Entry[]} batch
   */
  append(batch) {
    let next = this.entries.length + 1;
    for (const entry of batch) {
      if (entry.seq < next) {
        const held = this.entries[entry.seq - 1];
        if (COMPARED.some((field) => entry[field] !== held[field])) this.forked.value = true;
        continue;
      }
      if (entry.seq > next) {
        this.head.value = this.entries.length;
        return false;
      }
      this.entries.push(entry);
      next += 1;
    }
    this.head.value = this.entries.length;
    return true;
  }
}
