/**
 * A lesson on the page: which beat is shown, what is asked first, when the cluster is to go on. Signals only; no DOM.
 *
 * The server plays: its state says how far the cluster has come (`furthest`) and which anchors hold. The page shows one
 * beat, the furthest or an earlier one. Going on shows the next beat; its question comes first, and only when that is answered or skipped is
 * the cluster asked to play it. So nobody sees the answer before the question. Where a beat hands the terminal over, the
 * next one is shown as soon as its anchor holds, whoever brought it about.
 *
 *     showing      the beat's question open  →  stage "question"
 *                  its anchor does not hold  →  "waiting" (the server is asked to advance), or "lost" when it did not come
 *                  its anchor holds          →  "beat": the diagram is set as the beat wants it, once
 *
 * After the last beat the reader is asked what stayed (`check`), one question after another; then comes the score.
 */
import { batch, computed, effect, signal } from "@preact/signals-core";
import { createNotices } from "./notices.js";
import { hasWandered, viewOf } from "./view.js";

/** @typedef {import("./questions.js").Question} Question */
/** @typedef {import("./questions.js").Answer} Answer */
/** @typedef {{id: string, common: {from: string, to: string, label: string | null, says: string | null}[], wire: string[]}} Myth */
/** @typedef {{of: string[], at: string, title: string | null, isUrl: boolean}} Source  where what the sections `of` say can be looked up */
/**
 * @typedef {{id: string, layer?: import("../log.js").Layer | null, focus?: string[] | null, open?: import("../store.js").Tab | null, question?: string | null,
 *   myth?: Myth | null, handOver?: {suggest?: string | null} | null, title: Record<string, string>}} Beat
 * @typedef {{lesson: string, slug: string, kind: "walkthrough" | "exercise" | "incident", minutes: number, titles: Record<string, string>, beats: Beat[], questions: Question[],
 *   check: string[], checks: {id: string}[], ask: {question: string, before: string}[], hints: number, solution: string[], sources: Source[],
 *   next: {url: string, titles: Record<string, string>} | null, course: {id: string, titles: Record<string, string>} | null}} LessonData
 * @typedef {{seq: number, at: number}} Held
 * @typedef {{lesson: string, beat: string | null, furthest: string | null, busy: boolean, ready: boolean, lost: string | null, handedOver: boolean, anchors: Record<string, Held>,
 *   checks: Record<string, Held>, answers: Record<string, Answer>, hints: number, debriefs: Record<string, Held>, golf: {count: number, par: number} | null, solved: boolean}} LessonState
 * @typedef {"question" | "waiting" | "lost" | "beat" | "none"} Stage
 * @typedef {ReturnType<typeof createLesson>} Lesson
 */

/** @type {LessonState} */
const BEFORE = {
  lesson: "",
  beat: null,
  furthest: null,
  busy: true,
  ready: false,
  lost: null,
  handedOver: false,
  anchors: {},
  checks: {},
  answers: {},
  hints: 0,
  debriefs: {},
  golf: null,
  solved: false,
};

/**
 * `narrow`: whether the window has room for the text and the diagram only; a beat then leaves the drawer closed.
 * @param {{data: LessonData, store: import("../store.js").Store, actions: import("../actions.js").Actions, send: (frame: import("../socket.js").Frame) => boolean, narrow?: () => boolean}} parts
 */
export function createLesson({ data, store, actions, send, narrow = () => false }) {
  const { beats } = data;
  const state = signal(BEFORE);
  const heard = signal(false);
  const showing = signal(/** @type {string | null} */ (null));
  const skipped = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  const finished = signal(false);
  /** Which of the last questions is shown once all beats have been read; behind the last one comes the score. */
  const checkAt = signal(0);
  /** Questions answered here, until the server says so too. @type {import("@preact/signals-core").Signal<Record<string, Answer>>} */
  const given = signal({});
  const indexOf = (/** @type {string | null} */ id) => beats.findIndex((beat) => beat.id === id);
  /** A lesson that was led back has still been as far as it was. @param {LessonState} known */
  const furthestOf = ({ beat: playing, furthest }) => Math.max(indexOf(playing), indexOf(furthest));

  const index = computed(() => indexOf(showing.value));
  const beat = computed(() => beats[index.value] ?? null);
  const anchors = computed(() => ({ ...state.value.anchors, ...state.value.checks }));
  const answers = computed(() => ({ ...given.value, ...state.value.answers }));
  /** How far the reader may go without asking anything of the cluster. */
  const reached = computed(() => Math.max(furthestOf(state.value), 0));
  const open = (/** @type {string | null | undefined} */ id) =>
    typeof id === "string" && id !== "" && !(id in answers.value) && !skipped.value.has(id);
  const check = computed(() => (finished.value ? (data.check[checkAt.value] ?? null) : null));
  const anchor = computed(() => {
    const held = beat.value ? (state.value.anchors[beat.value.id] ?? null) : null;
    return held && store.log.head.value >= held.seq ? held : null;
  });
  const stage = computed(
    /** @returns {Stage} */ () => {
      if (!beat.value) return "none";
      if (open(beat.value.question)) return "question";
      if (anchor.value) return "beat";
      return [beat.value.id, "start"].includes(state.value.lost ?? "") ? "lost" : "waiting";
    },
  );
  const view = computed(() =>
    stage.value === "beat" && beat.value && anchor.value
      ? viewOf(beat.value, anchor.value.seq, store.log.get(anchor.value.seq)?.heartbeat)
      : null,
  );
  /** For which beat the diagram has been set. */
  const set = signal("");
  const wandered = computed(
    () =>
      view.value !== null &&
      set.value === showing.value &&
      !state.value.handedOver &&
      !finished.value &&
      hasWandered(view.value, {
        altitude: store.altitude.value,
        focus: store.focus.value,
        participants: store.participants.value,
        text: store.text.value,
        cursor: store.cursor.value,
        head: store.log.head.value,
        selected: store.selected.value,
        inView: store.inView.value,
      }),
  );
  /** May the reader go on to the next beat, or from one of the last questions to the one after? */
  const able = computed(() =>
    finished.value
      ? check.value !== null && !open(check.value)
      : stage.value === "beat" &&
        (index.value < reached.value || (index.value === reached.value && !state.value.busy && store.may("learn"))),
  );
  /** The question whose feedback stands before the reader. */
  const asking = computed(() => (finished.value ? check.value : (beat.value?.question ?? null)));
  const notices = createNotices({ data, state, heard, showing, asking });
  /** What the reader asks to see in the pane: a question or a debrief of an exercise. */
  const pointed = signal(/** @type {{id: string} | null} */ (null));

  function restore() {
    const now = view.peek();
    if (!now) return;
    batch(() => {
      store.altitude.value = now.altitude;
      store.focus.value = now.focus;
      store.participants.value = new Set();
      store.text.value = "";
      store.foldHeartbeats.value = now.foldHeartbeats;
      store.cursor.value = now.seq;
      store.selected.value = now.seq;
      store.follow.value = true;
      store.hovered.value = null;
      store.inView.value = true;
      store.recalled.value += 1;
      store.drawer.value = now.tab !== null && !narrow();
      if (now.tab) store.tab.value = now.tab;
    });
  }

  function finish() {
    const first = data.check.findIndex(open);
    batch(() => {
      checkAt.value = first < 0 ? data.check.length : first;
      finished.value = true;
    });
  }

  /** Show a beat; those beyond the next are not there yet. @param {string} id */
  function show(id) {
    const next = indexOf(id);
    if (next < 0 || next > reached.peek() + 1) return;
    batch(() => {
      finished.value = false;
      set.value = "";
      showing.value = id;
    });
  }

  // The diagram is set once for each beat: when its anchor is there and nothing is asked any more.
  effect(() => {
    if (!view.value || set.value === showing.value) return;
    restore();
    set.value = /** @type {string} */ (showing.value);
  });

  // Whoever waits for something sees what comes; a question is asked before that.
  effect(() => {
    if (stage.value === "waiting" && heard.value) actions.toLive();
  });

  /** For which beat the server has been asked to go on, on this connection. */
  let asked = "";
  effect(() => {
    const { busy, ready } = state.value;
    if (store.connection.value.state !== "open") asked = "";
    if (!["waiting", "beat"].includes(stage.value) || busy || !ready || store.connection.value.state !== "open") return;
    if (furthestOf(state.value) >= index.value || asked === showing.value || !store.may("learn")) return;
    if (send({ type: "advance", beat: showing.value })) asked = showing.value ?? "";
  });

  /** @param {LessonState | null} next */
  function hear(next) {
    if (!next) return;
    const before = state.peek();
    batch(() => {
      state.value = { ...BEFORE, ...next };
      const first = !heard.peek();
      heard.value = true;
      // At the first word the reader is where the lesson is; later the page leads, except where the reader played on alone.
      if (beats.length && first) showing.value = beats[Math.max(0, furthestOf(state.peek()))].id;
      const following = beats[indexOf(next.beat) + 1];
      if (before.handedOver && !next.handedOver && !next.busy && showing.peek() === next.beat && following && following.id in next.anchors)
        show(following.id);
      // What has been played before this page came was asked then: it is not asked any more.
      if (first) skipped.value = new Set(beats.slice(0, furthestOf(state.peek()) + 1).flatMap((one) => one.question ?? []));
    });
  }

  return {
    data,
    state,
    heard,
    showing,
    skipped,
    finished,
    index,
    beat,
    anchors,
    answers,
    reached,
    stage,
    view,
    wandered,
    able,
    check,
    notices,
    pointed,
    restore,
    show,
    hear,
    /** @param {string} id */
    question: (id) => data.questions.find((question) => question.id === id) ?? null,
    open,
    /** May a beat's title be told? Titles tell: not before what it is about has happened and its question was asked. @param {Beat} one */
    told: (one) => one.id in state.value.anchors && indexOf(one.id) <= Math.max(reached.value, index.value) && !open(one.question),
    next() {
      if (!able.peek()) return;
      if (finished.peek()) checkAt.value += 1;
      else if (index.peek() === beats.length - 1) finish();
      else show(beats[index.peek() + 1].id);
    },
    previous() {
      if (finished.peek()) finished.value = false;
      else if (index.peek() > 0) show(beats[index.peek() - 1].id);
    },
    /** @param {string} id @param {any} answer @returns {boolean} whether it was sent */
    answer(id, answer) {
      if (!store.may("learn") || !send({ type: "answer", question: id, answer })) return false;
      given.value = { ...given.peek(), [id]: { given: answer, right: null } };
      return true;
    },
    /** @param {string} id */
    skip(id) {
      batch(() => {
        skipped.value = new Set([...skipped.peek(), id]);
        if (check.peek() === id) checkAt.value += 1;
      });
    },
    /** Show what was said to an answer, where it was asked. @param {string} id */
    review(id) {
      const asks = beats.find((one) => one.question === id);
      if (asks) show(asks.id);
      else pointed.value = { id };
    },
    hint: () => store.may("learn") && send({ type: "hint" }),
    /** Show the entry at which a beat, mark or check held. @param {string} name @returns {boolean} whether it has */
    reveal(name) {
      const held = anchors.peek()[name];
      if (!held || held.seq > store.log.head.peek() || !store.log.get(held.seq)) return false;
      actions.reveal(held.seq);
      return true;
    },
  };
}
