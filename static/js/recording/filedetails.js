/** What entries open to, where the run stands in the file: each part of it is unpacked when somebody looks, and the last ones are kept. */
import { signal } from "@preact/signals-core";
import { unpacked, wholeFile } from "./packed.js";

/** @typedef {import("../details.js").Loaded} Loaded */
/** @typedef {import("../details.js").Detail} Detail */

const PARTS_KEPT_MAX = 8;
const KNOWN_MAX = 200;

/** A part as it stands in the file: texts, and after them the details that name them by number. @param {any[]} items @returns {Detail[]} */
export function withTexts(items) {
  const texts = items.filter((item) => typeof item === "string");
  return items
    .filter((item) => typeof item !== "string")
    .map((detail) => ({
      ...detail,
      body: { ...detail.body, text: texts[detail.body.text] },
      segments: detail.segments.map((/** @type {any} */ one) => ({ ...one, payload: texts[one.payload] })),
      records: detail.records.map((/** @type {any} */ one) => ({
        ...one,
        wire: texts[one.wire],
        plaintext: one.plaintext === null ? null : texts[one.plaintext],
      })),
    }));
}

export function FileDetails() {
  /** @type {Map<Element, Promise<Detail[]>>} */
  const parts = new Map();
  /** @type {Map<number, import("@preact/signals-core").Signal<Loaded>>} */
  const known = new Map();

  /** Newest first. */
  const all = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".details"))];

  /** The part that has an entry; null where none has. @param {number} seq */
  const partOf = (seq) => all().find(({ dataset }) => Number(dataset.first) <= seq && seq <= Number(dataset.last)) ?? null;

  /** @param {Element} part */
  function detailsIn(part) {
    const found = parts.get(part) ?? unpacked(part).then(withTexts);
    parts.delete(part);
    parts.set(part, found); // as the one that was read last
    if (parts.size > PARTS_KEPT_MAX) parts.delete(/** @type {Element} */ (parts.keys().next().value));
    return found;
  }

  /** @param {number} seq @param {import("@preact/signals-core").Signal<Loaded>} slot */
  async function load(seq, slot) {
    let part = partOf(seq);
    if (!part) {
      await wholeFile();
      part = partOf(seq);
    }
    const detail = part ? ((await detailsIn(part)).find((one) => one.seq === seq) ?? null) : null;
    slot.value = detail ? { state: "ready", detail, message: "" } : { state: "absent", detail: null, message: "" };
  }

  return {
    read: detailsIn,
    /** The part with the next details after an entry; null where none has. @param {number} seq */
    after: (seq) => all().findLast(({ dataset }) => Number(dataset.last) > seq) ?? null,
    /** @param {number} seq */
    of(seq) {
      let slot = known.get(seq);
      if (!slot) {
        slot = signal(/** @type {Loaded} */ ({ state: "loading", detail: null, message: "" }));
        known.set(seq, slot);
        if (known.size > KNOWN_MAX) known.delete(/** @type {number} */ (known.keys().next().value));
        void load(seq, slot);
      }
      return slot;
    },
  };
}
