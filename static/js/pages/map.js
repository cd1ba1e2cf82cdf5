/**
 * The learner's map: which subjects are done or begun, and what to try next. What an account knows the server has drawn
 * into the marks beside the lessons; `marks.js` adds this browser's notes, and a subject's state is counted from the marks.
 */
import { readProgress } from "../progress.js";
import { showMarks } from "./marks.js";
import { stateOf, tryNext } from "./standing.js";
import { readWay } from "./way.js";

/** @typedef {{place: HTMLElement, name: string, lessons: string[], marks: string[]}} Row */

/** The rows of the table, with the marks of their lessons. @returns {Row[]} */
const readRows = () =>
  [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-subject]"))].map((place) => {
    const lessons = [.../** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-lesson]"))];
    return {
      place,
      name: place.dataset.name ?? "",
      lessons: lessons.map((one) => one.dataset.lesson ?? ""),
      marks: lessons.map((one) => /** @type {HTMLElement | null} */ (one.querySelector(".done"))?.dataset.mark ?? ""),
    };
  });

/** @param {Row} row @returns {string} its subject's state */
function showState({ place, marks }) {
  const { state, done, of } = stateOf(marks);
  const count = /** @type {HTMLElement | null} */ (place.querySelector(".map-count"));
  if (count) {
    count.textContent = (count.dataset.words ?? "").replace("{done}", String(done)).replace("{of}", String(of));
    count.hidden = done === 0;
  }
  const chip = /** @type {HTMLElement | null} */ (document.querySelector(`[data-chip="${place.dataset.subject}"]`));
  const words = /** @type {HTMLElement | null | undefined} */ (chip?.querySelector("span"));
  if (chip) chip.dataset.state = state;
  if (words) words.textContent = state ? (words.dataset[state] ?? "") : "";
  return state;
}

/** @param {string[]} states of all subjects */
function showCounts(states) {
  for (const count of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-count]")))
    count.textContent = String(states.filter((state) => state === count.dataset.count).length);
}

/** @param {Row[]} rows */
function showNext(rows) {
  const button = /** @type {HTMLAnchorElement | null} */ (document.getElementById("try-next"));
  const why = document.getElementById("try-next-why");
  const next = tryNext(rows, readWay(), readProgress());
  if (!button || !why) return;
  if (!next) {
    button.hidden = rows.every(({ marks }) => marks.every((mark) => mark === "done"));
    if (button.hidden) why.textContent = why.dataset.allWords ?? "";
    return;
  }
  button.href = next.stop.url;
  button.textContent = `${button.dataset.words} ${next.stop.title}`;
  why.textContent = next.subject ? (why.dataset.subjectWords ?? "").replace("{subject}", next.subject) : (why.dataset.wayWords ?? "");
}

/** Bring the map up to date with this browser's notes. */
function show() {
  showMarks();
  const rows = readRows();
  showCounts(rows.map(showState));
  showNext(rows);
}

show();
addEventListener("glassplane:progress", show);
