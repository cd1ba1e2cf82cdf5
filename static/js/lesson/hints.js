/** When a hint comes, and when a question is asked. Pure. */

/** Real seconds between one hint and the next. */
export const HINT_SECONDS = 60;

/** Whole seconds until the next hint comes at the first press. @param {number} since when the last one came, in ms @param {number} now */
export const hintWait = (since, now) => Math.max(0, Math.ceil((since + HINT_SECONDS * 1000 - now) / 1000));

/** The questions asked at the start, or once the checks are under way. @param {readonly {question: string, before: string}[]} ask @param {"start" | "checks"} when */
export const askedAt = (ask, when) => ask.filter((one) => one.before === when).map((one) => one.question);
