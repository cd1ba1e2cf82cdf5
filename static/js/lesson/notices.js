/**
 * What has come about while the reader looked elsewhere: a prediction judged beats after it was made, something that an
 * exercise noticed, an exercise solved. Shown in the lesson's pane wherever it is scrolled to.
 *
 * Told once, when it happens: what a page hears first is how things are, not news. A verdict that stands in view where
 * the question was asked is no news either. In a walkthrough a notice is of the beat at which it came, and leaves with it.
 *
 *     answered at beat 2, judged while beat 5 is shown   →  {kind: "verdict", id: "handshake"}, gone at beat 6
 */
import { effect, signal } from "@preact/signals-core";
import { askedIn, verdictOf } from "./questions.js";

/** @typedef {{kind: "verdict" | "debrief" | "solved", id: string, at: string | null}} Notice  `at`: the beat that was shown */

const NOTICES_MAX = 3;

/**
 * @param {{data: import("./lesson.js").LessonData, state: import("@preact/signals-core").ReadonlySignal<import("./lesson.js").LessonState>,
 *   heard: import("@preact/signals-core").ReadonlySignal<boolean>, showing: import("@preact/signals-core").ReadonlySignal<string | null>,
 *   asking: import("@preact/signals-core").ReadonlySignal<string | null>}} lesson  `asking`: the question whose feedback is in view
 */
export function createNotices({ data, state, heard, showing, asking }) {
  const list = signal(/** @type {readonly Notice[]} */ ([]));
  /** @type {import("./lesson.js").LessonState | null} */
  let before = null;

  /** @param {import("./lesson.js").LessonState} was @param {import("./lesson.js").LessonState} is */
  function news(was, is) {
    const judged = (/** @type {import("./questions.js").Answer | undefined} */ answer) =>
      answer !== undefined && verdictOf(answer) !== "pending";
    const inView = (/** @type {string} */ id) => (data.kind === "exercise" ? !(id in was.answers) : asking.peek() === id);
    const verdicts = askedIn(data).filter((id) => judged(is.answers[id]) && !judged(was.answers[id]) && !inView(id));
    const debriefs = is.solved ? [] : Object.keys(is.debriefs).filter((id) => !(id in was.debriefs));
    const solved = data.kind === "exercise" && is.solved && !was.solved;
    return [
      ...verdicts.map((id) => ({ kind: /** @type {const} */ ("verdict"), id })),
      ...debriefs.map((id) => ({ kind: /** @type {const} */ ("debrief"), id })),
      ...(solved ? [{ kind: /** @type {const} */ ("solved"), id: "" }] : []),
    ];
  }

  effect(() => {
    if (!heard.value) return;
    const [is, at] = [state.value, showing.value];
    const fresh = before ? news(before, is).map((one) => ({ ...one, at })) : [];
    before = is;
    const kept = list.peek().filter((one) => one.at === at && !(is.solved && one.kind === "debrief"));
    if (fresh.length > 0 || kept.length < list.peek().length) list.value = [...kept, ...fresh].slice(-NOTICES_MAX);
  });

  return {
    list,
    /** @param {Notice} notice */
    dismiss(notice) {
      list.value = list.peek().filter((one) => one !== notice);
    },
  };
}
