/** The bytes and bodies of entries, fetched when somebody looks at them and kept while the page lives. */
import { signal } from "@preact/signals-core";

/**
 * @typedef {{number: number, type: string, version: string, length: number, ciphertext: string, plaintext: string, truncated?: boolean}} TlsRecord
 * @typedef {{number: number, flags: string, sequence: number, length: number, sent: number, arrived: number | null, payload: string, truncated?: boolean}} Segment
 * @typedef {{seq: number, headers: [string, string][], body: {type: string, text: string, truncated: boolean}, records: TlsRecord[], segments: Segment[], explanation: string}} Detail
 * @typedef {{state: "loading" | "ready" | "failed", detail: Detail | null, message: string}} Loaded
 */

const KEPT_MAX = 200;
/** @type {Loaded} */
const LOADING = { state: "loading", detail: null, message: "" };

/** @param {string} entriesUrl @param {typeof fetch} [get] */
export function createDetails(entriesUrl, get = (...request) => fetch(...request)) {
  /** @type {Map<number, import("@preact/signals-core").Signal<Loaded>>} */
  const kept = new Map();

  /** @param {number} seq @param {import("@preact/signals-core").Signal<Loaded>} slot */
  async function load(seq, slot) {
    try {
      const response = await get(`${entriesUrl}${seq}/`);
      const body = await response.json();
      if (!response.ok) throw new Error(body.message ?? String(response.status));
      slot.value = { state: "ready", detail: body, message: "" };
    } catch (error) {
      slot.value = { state: "failed", detail: null, message: error instanceof Error ? error.message : String(error) };
      kept.delete(seq);
    }
  }

  return {
    /** @param {number} seq */
    of(seq) {
      let slot = kept.get(seq);
      if (!slot) {
        slot = signal(LOADING);
        kept.set(seq, slot);
        if (kept.size > KEPT_MAX) kept.delete(/** @type {number} */ (kept.keys().next().value));
        void load(seq, slot);
      }
      return slot;
    },
  };
}
