/**
 * Why bytes cannot be read, in the reader's language: dissectors say it in English, of patterns with places.
 *
 *     toldBy({"{count} bytes wanted, {here} are here": "{count} Bytes erwartet, {here} sind hier"})
 *     ("4 bytes wanted, 2 are here")                  -> "4 Bytes erwartet, 2 sind hier"
 *
 * What no pattern fits stays English. Places stand for numbers only.
 */
const PLACE = /\{(\w+)\}/;

/** @param {Readonly<Record<string, string>>} reasons @returns {(reason: string) => string} */
export function toldBy(reasons) {
  const patterns = Object.entries(reasons).map(([english, text]) => {
    const parts = english.split(PLACE); // text, name, text, name, …
    const names = parts.filter((_, i) => i % 2 === 1);
    const fixed = parts.filter((_, i) => i % 2 === 0).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return { expression: new RegExp(`^${fixed.join("(\\d+)")}$`), names, text };
  });
  return (reason) => {
    for (const { expression, names, text } of patterns) {
      const found = expression.exec(reason);
      if (found) return names.reduce((said, name, i) => said.replace(`{${name}}`, found[i + 1]), text);
    }
    return reason;
  };
}
