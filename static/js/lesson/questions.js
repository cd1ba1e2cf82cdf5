/**
 * Questions asked before the answer can be seen: what stands in their forms, and what came of them. Pure.
 *
 * A draft is what the reader has entered so far: for a choice the options ticked, for an order all items from first to
 * last, for a number the text of a field. An answer is what is sent. `right` comes back true, false, or null for as
 * long as nobody can know; `seq` names the entry that decided, where one did.
 */

/**
 * @typedef {{id: string, kind: "choice" | "order" | "number", options?: string[], many?: boolean, items?: string[], unit?: string | null}} Question
 * @typedef {string[] | string} Draft
 * @typedef {{given: any, right: boolean | null, truth?: any, tries?: number, seq?: number | null}} Answer
 * @typedef {"right" | "wrong" | "pending"} Verdict
 */

/** @param {Question} question @returns {Draft} */
export function firstDraft(question) {
  if (question.kind === "order") return mixed(question.items ?? [], question.id);
  return question.kind === "number" ? "" : [];
}

/** Tick an option, or take the tick away; where one answer is asked for, another tick replaces it. @param {Question} question @param {readonly string[]} draft @param {string} option */
export function ticked(question, draft, option) {
  if (!question.many) return [option];
  return draft.includes(option) ? draft.filter((one) => one !== option) : [...draft, option];
}

/** An item moved to another place; the others keep their order. @template T @param {readonly T[]} list @param {number} from @param {number} to */
export function moved(list, from, to) {
  const place = Math.max(0, Math.min(list.length - 1, to));
  const rest = list.filter((_, i) => i !== from);
  return [...rest.slice(0, place), list[from], ...rest.slice(place)];
}

/** What can be sent, or null while something is missing. @param {Question} question @param {Draft} draft @returns {any} */
export function answerOf(question, draft) {
  if (question.kind === "number") return numberOf(String(draft));
  if (draft.length === 0) return null;
  return question.kind === "choice" && !question.many ? draft[0] : [...draft];
}

/** A number as people write it, with a comma or a point; null when it is none. @param {string} text @returns {number | null} */
export function numberOf(text) {
  const plain = text.trim().replace(",", ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

/** @param {Answer} answer @returns {Verdict} */
export const verdictOf = ({ right }) => (right === null || right === undefined ? "pending" : right ? "right" : "wrong");

/** All questions of a lesson, in the order in which they are asked. @param {Pick<import("./lesson.js").LessonData, "beats" | "ask" | "check">} data */
export const askedIn = ({ beats, ask, check }) => [
  ...beats.flatMap((beat) => beat.question ?? []),
  ...ask.map((one) => one.question),
  ...check,
];

/** The options that were right and not chosen: also right after a right answer, what would have been right after a wrong one. @param {Answer} answer @returns {string[]} */
export const othersRight = ({ given, truth }) => [truth ?? []].flat().filter((one) => ![given].flat().includes(one));

/** How many were right of those that are judged. @param {Record<string, Answer>} answers */
export function score(answers) {
  const judged = Object.values(answers).filter((answer) => verdictOf(answer) !== "pending");
  return { right: judged.filter((answer) => answer.right).length, total: judged.length };
}

/** The items in an order that depends on the question alone, and is not the one they came in. @param {readonly string[]} items @param {string} seed */
export function mixed(items, seed) {
  const keyed = items
    .map((item) => ({ item, key: hash(`${seed} ${item}`) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
  return keyed.length > 1 && keyed.every((item, i) => item === items[i]) ? [...keyed.slice(1), keyed[0]] : keyed;
}

/** FNV-1a. @param {string} text */
const hash = (text) => [...text].reduce((sum, letter) => Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0, 0x811c9dc5);
