/** What a lesson comes to is kept in this browser, whenever it has moved: of a walkthrough the furthest beat. */
import { effect } from "@preact/signals-core";
import { saveProgress } from "../progress.js";
import { score } from "./questions.js";

/** @param {import("./lesson.js").Lesson} lesson @param {{save?: typeof saveProgress, now?: () => string}} [parts] @returns {() => void} how to stop */
export function keepProgress(lesson, { save = saveProgress, now = () => new Date().toISOString() } = {}) {
  const { data } = lesson;
  let last = "";
  return effect(() => {
    if (!lesson.heard.value) return;
    const { solved, hints } = lesson.state.value;
    // A walkthrough is gone through once its last beat has been read.
    const through = data.beats.length > 0 && lesson.finished.value;
    const done = solved || through;
    /** @type {[number, number] | null} */
    const beats = data.beats.length ? [lesson.reached.value + 1, data.beats.length] : null;
    const news = { beat: data.beats[lesson.reached.value]?.id ?? null, beats, hints, answers: score(lesson.answers.value) };
    const key = JSON.stringify([news, done]);
    if (key === last) return;
    last = key;
    save(data.lesson, { ...news, solvedAt: done ? now() : null });
  });
}
