/**
 * Which entries hold a text in their bodies, where the run stands in the file: the same answers as a cluster's
 * (cluster_engine/lens/searching.py), a part of the file for each. A body is looked through as it is shown.
 */
import { wholeFile } from "./packed.js";

/** A text in lower case, in the pieces between its stars. @param {string} text */
export const piecesOf = (text) => text.toLowerCase().split("*").filter(Boolean);

/** Does a body hold all pieces, in this order? @param {string} body in lower case @param {readonly string[]} pieces */
export function holds(body, pieces) {
  let at = 0;
  for (const piece of pieces) {
    const found = body.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return pieces.length > 0;
}

/**
 * @param {number} head the last entry of the file
 * @param {{after: (seq: number) => HTMLElement | null, read: (part: HTMLElement) => Promise<import("../details.js").Detail[]>}} parts
 */
export function createSearch(head, parts) {
  /** As a server would. @param {string} address "search/?text=…&since=…" @returns {Promise<any>} */
  return async (address) => {
    await wholeFile();
    const asked = new URLSearchParams(address.slice(address.indexOf("?")));
    const since = Number(asked.get("since"));
    const part = parts.after(since);
    const details = part ? await parts.read(part) : [];
    const bodies = details
      .filter(({ seq }) => seq > since)
      .sort((one, other) => one.seq - other.seq)
      .map(({ seq, body }) => ({ seq, text: body.text.toLowerCase() }));
    const found = asked
      .getAll("text")
      .map(piecesOf)
      .map((pieces) => bodies.filter(({ text }) => holds(text, pieces)).map(({ seq }) => seq));
    const answer = { since, to: part ? Number(part.dataset.last) : head, head, found };
    return { ok: true, status: 200, json: async () => answer };
  };
}
