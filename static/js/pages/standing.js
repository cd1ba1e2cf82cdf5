/**
 * How somebody stands, from their notes: where they go on, how much of a course is done, what to repeat. Pure.
 *
 * To repeat is a lesson that is done, was last worked on at least `REPEAT_AFTER_DAYS` ago, and then had a hint, a wrong
 * prediction, or none at all. Doing it again without these takes it off; so the page says.
 */

/** @typedef {{course: string, lesson: string, title: string, url: string}} Stop  a lesson on the way, in order */
/** @typedef {import("../progress.js").Progress} Progress */

export const REPEAT_AFTER_DAYS = 3;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The lesson to go on with: the last one worked on while it is not done, then the next one that is not. None for who has begun nothing, or done all. @param {Stop[]} way @param {Progress} progress @returns {Stop | null} */
export function goOn(way, progress) {
  const worked = way.filter((one) => progress[one.lesson]);
  if (!worked.length) return null;
  const last = worked.reduce((a, b) => (progress[b.lesson].at > progress[a.lesson].at ? b : a));
  const at = way.indexOf(last);
  return [...way.slice(at), ...way.slice(0, at)].find((one) => !progress[one.lesson]?.solvedAt) ?? null;
}

/** How many lessons of a course are done. @param {Stop[]} way @param {Progress} progress @param {string} course */
export function doneOf(way, progress, course) {
  const stops = way.filter((one) => one.course === course);
  return { done: stops.filter((one) => progress[one.lesson]?.solvedAt).length, of: stops.length };
}

/** What to repeat, what was left longest first. @param {Stop[]} way @param {Progress} progress @param {number} now milliseconds @returns {Stop[]} */
export function toRepeat(way, progress, now) {
  const at = (/** @type {Stop} */ one) => Date.parse(progress[one.lesson].at);
  const wants = (/** @type {Stop} */ { lesson }) => {
    const note = progress[lesson];
    if (!note?.solvedAt || !(Date.parse(note.at) <= now - REPEAT_AFTER_DAYS * DAY_MS)) return false;
    return note.hints > 0 || note.answers.right < note.answers.total || note.answers.total === 0;
  };
  return way.filter(wants).sort((a, b) => at(a) - at(b));
}

/** How a subject stands, from the marks of its lessons. @param {string[]} marks "done", "begun" or "" @returns {{state: "done" | "begun" | "", done: number, of: number}} */
export function stateOf(marks) {
  const done = marks.filter((mark) => mark === "done").length;
  if (marks.length && done === marks.length) return { state: "done", done, of: done };
  return { state: marks.some(Boolean) ? "begun" : "", done, of: marks.length };
}

/**
 * What to try next: what was begun last and is not done; else the first lesson, on the way, of a subject of that one;
 * else the lesson to go on with. `subject` names the subject of which it is more. None for who has begun nothing, or done all.
 * @param {{name: string, lessons: string[]}[]} subjects @param {Stop[]} way @param {Progress} progress
 * @returns {{stop: Stop, subject: string | null} | null}
 */
export function tryNext(subjects, way, progress) {
  const worked = way.filter((one) => progress[one.lesson]);
  if (!worked.length) return null;
  const { lesson: last } = worked.reduce((a, b) => (progress[b.lesson].at > progress[a.lesson].at ? b : a));
  const its = subjects.filter((one) => one.lessons.includes(last));
  const more = (/** @type {Stop} */ { lesson }) => its.find((one) => one.lessons.includes(lesson));
  const open = way.filter(({ lesson }) => !progress[lesson]?.solvedAt);
  const stop = open.find(({ lesson }) => lesson === last) ?? open.find(more) ?? goOn(way, progress);
  return stop && { stop, subject: more(stop)?.name ?? null };
}
