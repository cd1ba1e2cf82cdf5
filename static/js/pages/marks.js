/**
 * What is done, begun or untouched, beside each lesson that a page names: `<li data-lesson="walkthroughs/…">` with a
 * `.done` in it. The server has drawn what an account knows; this browser's own notes come on top.
 */
import { readProgress } from "../progress.js";

/** @param {import("../progress.js").LessonProgress | undefined} one @returns {"done" | "begun" | ""} */
export function markOf(one) {
  if (!one) return "";
  if (one.solvedAt) return "done";
  return one.beat || one.hints || one.answers.total ? "begun" : "";
}

/** Bring all marks of the page up to date. */
export function showMarks() {
  const all = readProgress();
  for (const place of document.querySelectorAll("[data-lesson]")) {
    const mark = markOf(all[/** @type {HTMLElement} */ (place).dataset.lesson ?? ""]);
    const sign = /** @type {HTMLElement | null} */ (place.querySelector(".done"));
    if (sign && mark && sign.dataset.mark !== "done") show(sign, mark);
  }
}

/** @param {HTMLElement} sign @param {"done" | "begun"} mark */
function show(sign, mark) {
  sign.dataset.mark = mark;
  sign.hidden = false;
  const words = sign.querySelector("span");
  if (words) words.textContent = sign.dataset[mark] ?? "";
}

showMarks();
addEventListener("glassplane:progress", showMarks);
