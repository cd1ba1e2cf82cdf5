/** A join code as people read and type it. Pure. */

const PART = 4;

/** As it is kept: capitals, nothing between. @param {string} typed */
export const normal = (typed) => typed.replace(/[\s-]+/g, "").toUpperCase();

/** In two parts, so that it can be read aloud: ACD-EFGH; while it is being typed the parts follow from its beginning. @param {string} code */
export function grouped(code) {
  const plain = normal(code);
  const first = plain.length - PART;
  return first > 0 ? `${plain.slice(0, first)}-${plain.slice(first)}` : plain;
}

/** While typing: the hyphen comes after the third character, as in a whole code of seven. @param {string} typed @param {number} length */
export function whileTyping(typed, length) {
  const plain = normal(typed).slice(0, length);
  const first = length - PART;
  return plain.length > first ? `${plain.slice(0, first)}-${plain.slice(first)}` : plain;
}
