/** Bytes as rows of a hex view: offset, hexadecimal, ASCII. Pure. */

/** @typedef {{offset: number, hex: string[], ascii: string}} HexRow */

/** @param {string} text hexadecimal digits @returns {Uint8Array} */
export function bytesOf(text) {
  const bytes = new Uint8Array(text.length >> 1);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** @param {Uint8Array} bytes @param {number} [width] bytes a row @returns {HexRow[]} */
export function hexRows(bytes, width = 16) {
  /** @type {HexRow[]} */
  const rows = [];
  for (let offset = 0; offset < bytes.length; offset += width) {
    const slice = bytes.subarray(offset, offset + width);
    rows.push({
      offset,
      hex: Array.from(slice, (byte) => byte.toString(16).padStart(2, "0")),
      ascii: Array.from(slice, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join(""),
    });
  }
  return rows;
}

/**
 * A row's bytes in runs that are drawn alike: those of the marked field (`begin` to `end`), and the byte under the cursor.
 *
 * @param {HexRow} row @param {number} begin @param {number} end @param {number} cursor -1 for none
 * @returns {{hex: string, ascii: string, marked: boolean, cursor: boolean}[]}
 */
export function runs(row, begin, end, cursor) {
  const size = row.hex.length;
  const cuts = [0, begin - row.offset, end - row.offset, cursor - row.offset, cursor - row.offset + 1, size];
  const sorted = [...new Set(cuts.filter((at) => at >= 0 && at <= size))].sort((one, other) => one - other);
  return sorted.slice(0, -1).map((from, n) => {
    const offset = row.offset + from;
    return {
      hex: row.hex.slice(from, sorted[n + 1]).join(" "),
      ascii: row.ascii.slice(from, sorted[n + 1]),
      marked: begin <= offset && offset < end,
      cursor: offset === cursor,
    };
  });
}

/** @param {number} offset */
export const offsetText = (offset) => offset.toString(16).padStart(4, "0");

/** The view as text, for the clipboard. @param {Uint8Array} bytes */
export function hexText(bytes) {
  return hexRows(bytes)
    .map((row) => `${offsetText(row.offset)}  ${row.hex.join(" ").padEnd(47)}  ${row.ascii}`)
    .join("\n");
}
