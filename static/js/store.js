/**
 * What the page knows: the log, where the reader stands in it, and how they look at it. Signals only; no DOM.
 *
 * The screen is a function of (log, cursor, view). `cursor` null means the live end.
 */
import { batch, computed, effect, signal } from "@preact/signals-core";
import { chainOf } from "./causes.js";
import { UNHEARD, shownAt } from "./clock.js";
import { NATURAL, NOBODY, expectedLanes } from "./lanes.js";
import { Plan } from "./layout.js";
import { Log } from "./log.js";
import { parse, questionsOf } from "./query.js";

/** @typedef {import("./log.js").Entry} Entry */
/** @typedef {import("./log.js").Layer} Layer */
/** @typedef {import("./socket.js").ConnectionState} ConnectionState */
/** @typedef {"see" | "type" | "drive" | "break" | "learn" | "gateway" | "replace" | "share" | "take" | "branch"} Action */
/** @typedef {{id: string, state: "starting" | "running" | "suspended" | "ended" | "recorded", nodes: number, seed: number, life?: number, branch?: boolean, may?: Action[]}} Cluster  without `may` everything is allowed */
/** @typedef {"what" | "why" | "headers" | "body" | "records" | "bytes"} Tab */
/** @typedef {ReturnType<typeof createStore>} Store */

/** `say`: entries as sentences, for the filter; `found`: what the cluster has found in bodies. @param {{cluster?: Partial<Cluster>, cast?: import("./lanes.js").Cast, shortcuts?: boolean, say?: (entry: import("./log.js").Entry) => string, found?: import("@preact/signals-core").ReadonlySignal<import("./answers.js").Found>}} [start] */
export function createStore(start = {}) {
  const log = new Log();
  const cluster = signal(/** @type {Cluster} */ ({ id: "", state: "starting", nodes: 2, seed: 1, ...start.cluster }));
  const clock = signal(UNHEARD);
  const connection = signal(/** @type {ConnectionState} */ ({ state: "connecting", attempt: 0, retryAt: null }));
  const cursor = signal(/** @type {number | null} */ (null));
  const altitude = signal(/** @type {Layer} */ ("story"));
  const foldHeartbeats = signal(true);
  const participants = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** The only lanes that are drawn; empty: all. */
  const focus = signal(/** @type {ReadonlySet<string>} */ (new Set()));
  /** How the reader has arranged the lanes (arrangement.js). */
  const arrangement = signal(NATURAL);
  /** What is typed into the find box (query.js). */
  const text = signal("");
  const query = computed(() => parse(text.value));
  /** The same text for all lines that mean the same, so that what changes nothing lays nothing out again. */
  const asking = computed(() => query.value.canonical);
  /** What of the query only the cluster can tell, and how much it has found: answers only grow. */
  const questions = computed(() => questionsOf(query.value));
  const answered = computed(() =>
    questions.value.map((question) => `${question} ${start.found?.value.get(question)?.size ?? 0}`).join(" "),
  );
  /** Has what the query looks back from come? */
  const grounded = computed(() => log.head.value >= query.value.needs);
  const selected = signal(/** @type {number | null} */ (null));
  const drawer = signal(false);
  /** Which of the panes beside the diagram lies in front, where there is no room for both. */
  const front = signal(/** @type {"drawer" | "state"} */ ("drawer"));
  const tab = signal(/** @type {Tab} */ ("what"));
  const follow = signal(true);
  const cast = signal(start.cast ?? NOBODY);
  /** May the page let the clock go on by itself? */
  const goesOn = () => connection.peek().state === "open" && cluster.peek().state === "running";

  /** The last seq on screen. */
  const shown = computed(() => Math.min(cursor.value ?? log.head.value, log.head.value));
  const empty = computed(() => {
    void [grounded.value, answered.value];
    return new Plan({
      altitude: altitude.value,
      foldHeartbeats: foldHeartbeats.value,
      participants: participants.value,
      text: asking.value,
      focus: focus.value,
      expected: expectedLanes(cast.value),
      say: start.say,
      entries: log.entries,
      arrangement: arrangement.value,
      answers: start.found?.peek(),
    });
  });
  /** Is everything there is on screen? Then a step forward is the cluster's. */
  const atEnd = computed(() => cursor.value === null || picture.value.plan.rowsAt(shown.value) === picture.value.plan.rows.length);
  /** The layout of the whole log; a new wrapper whenever it has grown. */
  const picture = computed(() => {
    const plan = empty.value;
    const head = log.head.value;
    return { plan: plan.extend(log.entries, plan.seq), head };
  });
  /** How far the journal had come when this page connected; until that is here, what is drawn is not how it is now. */
  const expected = signal(0);
  const loading = computed(() => log.head.value < expected.value);
  /** The chain of causes while the reader asks why: of what they asked it of, also while they walk along it. */
  const why = computed(() => drawer.value && tab.value === "why");
  const seqsOf = (/** @type {number | null} */ seq) => new Set(seq ? chainOf(log.entries, seq).map((entry) => entry.seq) : []);
  const asked = signal(/** @type {number | null} */ (null));
  effect(() => {
    if (!why.value) asked.value = null;
    else if (selected.value && !seqsOf(asked.peek()).has(selected.value)) asked.value = selected.value;
  });
  const chain = computed(() => seqsOf(asked.value ?? selected.value));

  return {
    log,
    cluster,
    cast,
    clock,
    connection,
    cursor,
    altitude,
    foldHeartbeats,
    participants,
    focus,
    arrangement,
    text,
    query,
    questions,
    selected,
    drawer,
    front,
    tab,
    follow,
    shown,
    atEnd,
    picture,
    expected,
    loading,
    why,
    asked,
    chain,
    /** Have the clock become another, now: told by the server, turned by the reader, or not heard any more. @template {unknown[]} A @param {(before: import("./clock.js").Clock, ...rest: [...A, number, boolean]) => import("./clock.js").Clock} how @param {A} given */
    setClock(how, ...given) {
      clock.value = how(clock.peek(), ...given, performance.now(), goesOn());
    },
    /** Seconds that the cluster's clock shows now. */
    clockNow: () => shownAt(clock.peek(), performance.now(), goesOn()),
    toasts: signal(/** @type {{id: number, text: string}[]} */ ([])),
    dialog: signal(/** @type {"help" | "faults" | "myth" | "share" | null} */ (null)),
    shortcuts: signal(start.shortcuts ?? true),
    hovered: signal(/** @type {number | null} */ (null)),
    /** Does any filter hide messages now? */
    filtered: computed(() => participants.value.size > 0 || focus.value.size > 0 || asking.value !== ""),
    /** Is the selected row within the window? The diagram tells. */
    inView: signal(true),
    /** Moved when the diagram is to bring the selected row into the window again. */
    recalled: signal(0),
    /** May the reader do this with the cluster? @param {Action} action */
    may: (action) => cluster.value.may?.includes(action) ?? true,
    batch,
  };
}
