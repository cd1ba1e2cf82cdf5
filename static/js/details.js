/** The bytes and bodies of entries, fetched when somebody looks at them and kept while the page lives. */
import { signal } from "@preact/signals-core";

/** @typedef {import("./fields/fieldtree.js").Field} Field */
/**
 * @typedef {{number: number, type: string, version: string, length: number, readers: "everybody" | "session" | "server_key" | "ends", wire: string, wireFields?: Field[], wireWindow?: Window, plaintext: string | null, plaintextFields?: Field[], plaintextWindow?: Window}} TlsRecord
 * @typedef {[begin: number, count: number]} Window  of what is long: which byte is the first that is shown, and how many there are
 * @typedef {{number: number, flags: string, sequence: number, length: number, sent: number, arrived: number | null, payload: string, payloadFields?: Field[], truncated?: boolean, from?: number}} Segment
 * @typedef {{seq: number, headers: [string, string][], body: {type: string, text: string, truncated: boolean}, records: TlsRecord[], segments: Segment[], fieldsCut?: boolean}} Detail
 * @typedef {{state: "loading" | "ready" | "failed" | "absent", detail: Detail | null, message: string}} Loaded
 * @typedef {{value: import("@preact/signals-core").Signal<Loaded>, failedAt: number | null}} Slot
 */

const KEPT_MAX = 200;
/** What failed is told, and not asked for again before this: telling it draws the panel, which looks here once more. */
const RETRY_MS = 3000;
/** A cluster that is busy says so (503); it is asked again, so often and after so long. */
const BUSY = 503;
const BUSY_TIMES_MAX = 5;
const BUSY_MS = 1500;
/** @type {Loaded} */
const LOADING = { state: "loading", detail: null, message: "" };

const after = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {string} entriesUrl @param {typeof fetch} [get] @param {() => number} [now] @param {(ms: number) => Promise<unknown>} [wait] */
export function createDetails(entriesUrl, get = (...request) => fetch(...request), now = () => performance.now(), wait = after) {
  /** @type {Map<number, Slot>} */
  const kept = new Map();

  /** @param {number} seq @param {Slot} slot */
  async function load(seq, slot) {
    try {
      let response = await get(`${entriesUrl}${seq}/`);
      for (let time = 0; response.status === BUSY && time < BUSY_TIMES_MAX; time += 1) {
        await wait(BUSY_MS);
        response = await get(`${entriesUrl}${seq}/`);
      }
      const body = await response.json();
      if (!response.ok) throw new Error(body.message ?? String(response.status));
      slot.value.value = { state: "ready", detail: body, message: "" };
    } catch (error) {
      slot.failedAt = now();
      slot.value.value = { state: "failed", detail: null, message: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    /** @param {number} seq */
    of(seq) {
      let slot = kept.get(seq);
      if (!slot || (slot.failedAt !== null && now() - slot.failedAt >= RETRY_MS)) {
        slot = { value: signal(LOADING), failedAt: null };
        kept.set(seq, slot);
        if (kept.size > KEPT_MAX) kept.delete(/** @type {number} */ (kept.keys().next().value));
        void load(seq, slot);
      }
      return slot.value;
    },
  };
}
