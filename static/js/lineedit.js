/**
 * The keys of a command line that a browser's input has not by itself, as readline has them. Pure.
 *
 *   editLine("w", {value: "kubectl get pods", at: 16})      {value: "kubectl get ", at: 12}
 */

/** @typedef {{value: string, at: number}} Line  `at`: where the cursor stands */

/** What Ctrl and this key, or "Alt-" and a key, make of a line; null where they are nothing. @param {string} key @param {Line} line @returns {Line | null} */
export function editLine(key, { value, at }) {
  switch (key) {
    case "a":
      return { value, at: 0 };
    case "e":
      return { value, at: value.length };
    case "u":
      return { value: value.slice(at), at: 0 };
    case "k":
      return { value: value.slice(0, at), at };
    case "w": {
      const begin = value.slice(0, at).replace(/[^ ]* *$/, "").length;
      return { value: value.slice(0, begin) + value.slice(at), at: begin };
    }
    case "Alt-b":
      return { value, at: value.slice(0, at).replace(/\w+\W*$/, "").length };
    case "Alt-f":
      return { value, at: afterWord(value, at) };
    case "Alt-d":
      return { value: value.slice(0, at) + value.slice(afterWord(value, at)), at };
    default:
      return null;
  }
}

/** Where the word ends that the cursor is in or before. @param {string} value @param {number} at */
const afterWord = (value, at) => value.length - value.slice(at).replace(/^\W*\w+/, "").length;

/** The newest line of the past that has the text in it, `skip` of them passed over; "" for none. @param {string[]} past @param {string} text @param {number} skip */
export function searchPast(past, text, skip) {
  const found = text ? [...new Set([...past].reverse())].filter((line) => line.includes(text)) : [];
  return found[Math.min(skip, found.length - 1)] ?? "";
}

/**
 * What a line becomes when these words may stand in it from a character on: with one word all of it, with several as much
 * as they have in common. @param {string} line @param {number} begin @param {string[]} words
 */
export function completed(line, begin, words) {
  if (words.length === 0) return line;
  let common = words[0];
  for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
  const ends = words.length === 1 && !/[/=]$/.test(common) ? " " : "";
  return common.length >= line.length - begin ? line.slice(0, begin) + common + ends : line;
}
