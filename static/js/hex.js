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

/** @param {number} offset */
export const offsetText = (offset) => offset.toString(16).padStart(4, "0");

/** The view as text, for the clipboard. @param {Uint8Array} bytes */
export function hexText(bytes) {
  return hexRows(bytes)
    .map((row) => `${offsetText(row.offset)}  ${row.hex.join(" ").padEnd(47)}  ${row.ascii}`)
    .join("\n");
}
