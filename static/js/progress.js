/**
 * What a person has done in which lesson, kept in this browser under one key, for pages with and without an account.
 *
 *     {"walkthroughs/mutual-tls": {"beat": "client-hello", "beats": [2, 7], "solvedAt": null, "hints": 0, "answers": {"right": 1, "total": 2}, "at": "2026-…"}}
 *
 * `solvedAt` is when a walkthrough was gone through or an exercise solved. Storage may be forbidden or full of something
 * else; then nothing is kept, and reading gives nothing.
 */

/**
 * @typedef {{beat: string | null, beats: [number, number] | null, solvedAt: string | null, hints: number, answers: {right: number, total: number}, at: string}} LessonProgress
 * @typedef {Record<string, LessonProgress>} Progress  by "walkthroughs/<slug>" or "exercises/<slug>"
 */

const KEY = "glassplane:progress";
const LESSONS_MAX = 500;
export const FILE_BYTES_MAX = 256 * 1024;
/** @type {LessonProgress} */
const NOTHING = { beat: null, beats: null, solvedAt: null, hints: 0, answers: { right: 0, total: 0 }, at: "" };

/** All that is kept. @returns {Progress} */
export function readProgress() {
  try {
    return cleaned(JSON.parse(localStorage.getItem(KEY) ?? "{}"));
  } catch {
    return {};
  }
}

/** Keep what is new about one lesson; what was solved once stays solved. @param {string} lesson @param {Partial<LessonProgress>} news @returns {Progress} all that is kept now */
export function saveProgress(lesson, news) {
  const all = readProgress();
  const before = all[lesson] ?? NOTHING;
  return write({
    ...all,
    [lesson]: { ...before, ...news, solvedAt: before.solvedAt ?? news.solvedAt ?? null, at: new Date().toISOString() },
  });
}

/** Join what is kept here with what is kept elsewhere, and keep it. @param {Progress} other @returns {Progress} */
export function mergeProgress(other) {
  return write(joined(readProgress(), cleaned(other)));
}

/** The notes in a file that was saved here or by an account; null when it is none, and empty when it has none. @param {string} text @returns {Progress | null} */
export function progressIn(text) {
  try {
    const all = JSON.parse(text);
    return all !== null && typeof all === "object" && !Array.isArray(all) ? cleaned(all) : null;
  } catch {
    return null;
  }
}

/** Keep nothing any more. */
export function forgetProgress() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing could be kept either.
  }
}

/** Two people's notes of the same lessons as one: solved stays solved, and earliest; the rest is the later one's. Pure. @param {Progress} a @param {Progress} b @returns {Progress} */
export function joined(a, b) {
  const lessons = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    lessons.map((lesson) => {
      const [one, two] = [a[lesson] ?? NOTHING, b[lesson] ?? NOTHING];
      const later = two.at > one.at ? two : one;
      const solved = [one.solvedAt, two.solvedAt].filter((at) => at !== null).sort();
      return [lesson, { ...later, solvedAt: solved[0] ?? null }];
    }),
  );
}

/** @param {Progress} all @returns {Progress} */
function write(all) {
  const kept = Object.fromEntries(
    Object.entries(all)
      .sort(([, a], [, b]) => b.at.localeCompare(a.at))
      .slice(0, LESSONS_MAX),
  );
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Private windows may refuse; the progress then lasts as long as the page.
  }
  return kept;
}

/** Only what has the form of progress: the store is anybody's. @param {any} all @returns {Progress} */
function cleaned(all) {
  if (all === null || typeof all !== "object" || Array.isArray(all)) return {};
  return Object.fromEntries(
    Object.entries(all)
      .slice(0, LESSONS_MAX)
      .filter(([lesson, one]) => /^(walkthroughs|exercises)\/[\w-]+$/.test(lesson) && one && typeof one === "object")
      .map(([lesson, one]) => [
        lesson,
        {
          beat: text(one.beat),
          beats: Array.isArray(one.beats) && one.beats.length === 2 ? [count(one.beats[0]), count(one.beats[1])] : null,
          solvedAt: moment(one.solvedAt),
          hints: count(one.hints),
          answers: { right: count(one.answers?.right), total: count(one.answers?.total) },
          at: moment(one.at) ?? "",
        },
      ]),
  );
}

const text = (/** @type {unknown} */ value) => (typeof value === "string" && value ? value.slice(0, 100) : null);
/** An instant as text; none that is still to come, or it would be the later one for ever. @param {unknown} value */
function moment(value) {
  const at = Date.parse(text(value) ?? "");
  return Number.isNaN(at) ? null : new Date(Math.min(at, Date.now())).toISOString();
}
const count = (/** @type {unknown} */ value) => (Number.isInteger(value) && Number(value) >= 0 ? Number(value) : 0);
