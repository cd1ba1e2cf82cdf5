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
 *   label: string, cause: number | null, trigger: string | null, replyTo: number | null,
 *   connection: number | null, stream: number | null, size: number, heartbeat: boolean, fields: Record<string, any>,
 * }} Entry
 */

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
    return seq ? (this.entries[seq - 1] ?? null) : null;
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
