/**
 * Where somebody is on the way through the courses, from this browser's notes: the lesson to go on with (`#go-on`),
 * how much of each course is done (`[data-course]`), and which lessons are to be repeated (`.again`). The server puts all lessons in order into `#way-data`.
 */
import { readProgress } from "../progress.js";
import { doneOf, goOn, toRepeat } from "./standing.js";

/** All lessons in order. @returns {import("./standing.js").Stop[]} */
export const readWay = () => JSON.parse(document.getElementById("way-data")?.textContent || "[]");

/** Bring what the page says of the way up to date. */
function showWay() {
  const [way, progress] = [readWay(), readProgress()];
  const button = /** @type {HTMLAnchorElement | null} */ (document.getElementById("go-on"));
  const next = goOn(way, progress);
  if (button && next) {
    button.href = next.url;
    button.textContent = `${button.dataset.words} ${next.title}`;
    button.hidden = false;
  }
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-course]"))) {
    const sign = /** @type {HTMLElement | null} */ (place.querySelector(".course-done"));
    if (sign) showDone(sign, doneOf(way, progress, place.dataset.course ?? ""));
  }
  const again = new Set(toRepeat(way, progress, Date.now()).map((stop) => stop.lesson));
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-lesson]")))
    place.querySelector(".again")?.toggleAttribute("hidden", !again.has(place.dataset.lesson ?? ""));
  if (next) document.documentElement.dataset.known = "here";
  else delete document.documentElement.dataset.known;
}

/** The account may know more than this browser does. @param {HTMLElement} sign @param {{done: number, of: number}} counted */
function showDone(sign, { done, of }) {
  const bar = sign.querySelector("progress");
  const words = sign.querySelector("span");
  if (!bar || !words || done <= bar.value) return;
  bar.value = done;
  words.textContent = (sign.dataset.words ?? "").replace("{done}", String(done)).replace("{of}", String(of));
  sign.hidden = false;
}

showWay();
addEventListener("glassplane:progress", showWay);
