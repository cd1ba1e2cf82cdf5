/** The page put together: store, wire, console and panels know each other only through this. */
import { effect, signal } from "@preact/signals-core";
import { createActions } from "./actions.js";
import { sayAhead, shareTexts } from "./ahead.js";
import { createAnswers } from "./answers.js";
import { createArrangement } from "./arrangement.js";
import { createBreaking } from "./breaking.js";
import { createBookmarks } from "./bookmarks.js";
import { createBreakpoints } from "./breakpoints.js";
import { heard, unheard } from "./clock.js";
import { createCoach } from "./coach.js";
import { commandsOf, createConsole } from "./console.js";
import { endsCall, stepped } from "./conversation.js";
import { createDetails } from "./details.js";
import { createKeys } from "./keys.js";
import { NOBODY } from "./lanes.js";
import { createSettings, keep, keepLanguage, recall, tabName } from "./settings.js";
import { Socket } from "./socket.js";
import { createSpoken } from "./spoken.js";
import { createStatePane } from "./statepane.js";
import { createStore } from "./store.js";
import { lower, narrower } from "./textsize.js";
import { NO_HISTORY, createTrail } from "./trail.js";
import { createVocabulary } from "./vocabulary.js";

/** @typedef {{socket: string, entries: string, state: string, exports: string, branches: string, kubeconfig: string, shares: string, newCluster: string, words: string}} Urls */
/** @typedef {ReturnType<typeof createApp>} App */

const narrow = () => narrower(900);
/** In a window lower than this, in units, the terminal begins folded. */
const LOW = 560;
const TYPE_MS = 14;
const TOAST_MS = 4000;
/** What a debugger has on F10, F11 and Shift-F11, which browsers keep for themselves. @type {[string, import("./conversation.js").Step][]} */
const STEP_KEYS = [
  ["v", "over"],
  ["d", "into"],
  ["u", "out"],
];
const TERMINAL = new Set(["typed", "output", "reads", "editing", "background", "done", "terminals"]);

/** @param {{clusterId: string, urls: Urls, strings: import("./strings.js").Strings, lessonData?: import("./lesson/lesson.js").LessonData | null, createLesson?: typeof import("./lesson/lesson.js").createLesson | null, inRoom?: boolean, shared?: boolean, framed?: boolean, imported?: {problems: string, kind: string, notMade: string[], notTold: string[]} | null, recording?: import("./recording/recording.js").Sources | null}} page
 *   `createLesson`: fetched where there is a lesson; `shared`: opened by a link, to read; `framed`: in a frame on any site; `imported`: of another cluster, read from a file; `recording`: the run stands in the page's own file */
export function createApp({
  clusterId,
  urls,
  strings,
  lessonData = null,
  createLesson = null,
  inRoom = false,
  shared = false,
  framed = false,
  imported = null,
  recording = null,
}) {
  const answers = createAnswers(urls.entries.replace(/entries\/$/, ""), recording ? { get: recording.search } : {});
  const store = createStore({
    cluster: { id: clusterId },
    shortcuts: recall("shortcuts") !== "off",
    say: strings.say,
    found: answers.found,
  });
  effect(() => answers.want("filter", store.questions.value));
  effect(() => answers.reach(store.log.head.value));
  shareTexts({ log: store.log });
  sayAhead({ log: store.log, strings });
  const settings = createSettings();
  const details = recording?.details ?? createDetails(urls.entries);
  const endMessage = signal("");
  /** What the cluster's process was ended over; "" once it was read. */
  const mishap = signal("");
  /** The reader is no longer in the room that they came by; its bar says so, and nothing else is to. */
  const left = signal(false);
  /** What is drawn at the side of the diagram (panels/docked.js). @type {import("@preact/signals-core").Signal<(() => any) | null>} */
  const docked = signal(null);
  const typed = signal("");
  const folded = () => recall("terminal") === "folded" || (recall("terminal") === null && lower(LOW));
  const terminalFolded = signal(folded());
  const lessonFolded = signal(false);
  /** Is time to stand still at the first message of what is typed? */
  const standStill = signal(false);
  let toasts = 0;

  const ears = { log: store.log, onFrame: hear, onState };
  const socket =
    recording?.socket(ears) ?? new Socket({ url: urls.socket, entriesUrl: urls.entries, ...ears, commands: () => shell.heard() });
  // What is typed while a cluster is not up waits for it, also while it comes back.
  const takes = (/** @type {import("./socket.js").Frame} */ frame) => frame.type !== "command" || store.cluster.peek().state === "running";
  const tab = tabName(newId).slice(0, 8); // the server takes ids of 64 letters
  const shell = createConsole({
    send: (frame) => takes(frame) && socket.send(frame),
    newId: () => `${tab}-${newId()}`,
    isOwn: (id) => id.startsWith(`${tab}-`),
    history: parseHistory(recall("history")),
  });
  const actions = createActions(store, socket);
  const breakpoints = createBreakpoints({ store, actions, say: strings.say, send: (frame) => socket.send(frame), answers });
  const arranging = createArrangement({ store, cluster: clusterId });
  const bookmarks = createBookmarks({ cluster: clusterId });
  const trail = createTrail(framed ? { store, actions, history: NO_HISTORY } : { store, actions });
  const spoken = createSpoken({ store, strings, inDiagram: () => document.activeElement?.id === "diagram" });
  const coach = createCoach(store);
  const send = (/** @type {import("./socket.js").Frame} */ frame) => socket.send(frame);
  const lesson = lessonData && createLesson ? createLesson({ data: lessonData, store, actions, send, narrow }) : null;
  effect(() => {
    if (lesson?.stage.value === "question") lessonFolded.value = false;
  });
  // In a room, and in an incident, finding out is the exercise: a sealed fault is not listed.
  const hidden = inRoom || lessonData?.kind === "incident";
  const breaking = createBreaking({ store, send, newId, t: (key) => strings.t(key), hidden });

  /** @param {string} text */
  function toast(text) {
    toasts += 1;
    const id = toasts;
    store.toasts.value = [...store.toasts.peek(), { id, text }].slice(-3);
    setTimeout(() => {
      store.toasts.value = store.toasts.peek().filter((other) => other.id !== id);
    }, TOAST_MS);
  }

  /** @param {import("./socket.js").ConnectionState} next */
  function onState(next) {
    const before = store.connection.peek();
    if (before.state === "open" && next.state !== "open") store.setClock(unheard);
    store.connection.value = next;
    if (next.state === "open" && before.attempt > 0) toast(strings.t("toast.resumed", { seq: store.log.head.peek() }));
    if (next.state === "open") shell.reconnect();
    if (next.state === "gone") shell.cut();
  }

  /** @param {{state: any, message?: string, nodes?: number, seed?: number, life?: number, branch?: boolean, mishap?: string, successor?: string | null}} cluster */
  function onCluster(cluster) {
    if ((cluster.life ?? 1) > (store.cluster.peek().life ?? cluster.life ?? 1)) socket.compare();
    if (cluster.state !== "running" && store.cluster.peek().state === "running") store.setClock(unheard);
    store.cluster.value = { ...store.cluster.peek(), ...cluster };
    if (cluster.mishap) mishap.value = cluster.mishap;
    if (cluster.state === "running") shell.resume();
    if (cluster.state !== "ended") return;
    // Ended over the same thing twice: the run goes on, without it, in another cluster.
    if (cluster.mishap && cluster.successor) {
      location.assign(inRoom ? location.pathname : `/clusters/${cluster.successor}/`);
      return;
    }
    endMessage.value = cluster.message ?? "";
    shell.cut();
  }

  /** @param {import("./socket.js").Frame} frame */
  function hear(frame) {
    if (breaking.hear(frame)) return;
    if (frame.type === "hello") {
      store.expected.value = frame.head ?? 0;
      onCluster(frame.cluster);
      if (store.cast.peek() === NOBODY) store.cast.value = frame.cast ?? NOBODY;
      lesson?.hear(frame.lesson ?? null);
      if (frame.clock) store.setClock(heard, frame.clock);
    } else if (frame.type === "clock") store.setClock(heard, /** @type {any} */ (frame));
    else if (frame.type === "cluster") onCluster(frame.cluster);
    else if (frame.type === "lesson") lesson?.hear(frame.lesson);
    else if (TERMINAL.has(frame.type)) shell.hear(frame);
    else if (frame.type === "completed") shell.hearPossible(frame);
    else if (frame.type === "error" && frame.id && frame.passing && shell.postpone(frame.id)) return;
    else if (frame.type === "error" && !(frame.id && shell.refuse(frame.id, frame.message))) {
      if (!frame.id) actions.endStepping();
      toast(frame.message);
    }
  }

  /** @param {boolean} folded */
  function foldTerminal(folded) {
    terminalFolded.value = folded;
    keep("terminal", folded ? "folded" : "open");
  }

  function focusTerminal() {
    state.makeWay();
    foldTerminal(false);
    requestAnimationFrame(() => document.getElementById("command")?.focus());
  }

  /** Take what was typed: a command, or a line for the program that waits for one. @param {string} line */
  function submit(line) {
    if (!store.may("type")) return;
    if (shell.reading.peek()) {
      if (shell.type(line)) typed.value = "";
    } else run(line);
  }

  /** @param {string} line */
  function run(line) {
    if (!line.trim() || !store.may("type")) return;
    typed.value = "";
    actions.toLive();
    if (standStill.peek()) breakpoints.stopOnce(commandsOf(line)[0] ?? "");
    shell.run(line);
    keep("history", JSON.stringify(shell.past.peek()));
  }

  const state = createStatePane({
    store,
    narrow: () => narrower(640),
    notTold: imported?.notTold,
    fold: () => {
      lessonFolded.value = true;
    },
  });
  const keys = createKeys({ store, actions, focusTerminal, none: () => toast(strings.t("follow.none")) });
  keys.add({ keys: ["s"], name: "state", match: ["s"], run: state.toggle });
  keys.add({ keys: [".", ","], name: "breakpoint", match: [".", ","], run: (key) => runTo(key === "," ? -1 : 1) });
  for (const [key, step] of STEP_KEYS) keys.add({ keys: [key], name: `step.${step}`, match: [key], run: () => stepThrough(step) });
  keys.add({ keys: ["m"], name: "bookmark", match: ["m"], run: () => bookmarks.toggle(store.selected.peek()) });
  keys.add({ keys: ["p"], name: "present", match: ["p"], run: present });
  keys.add({ keys: ["x"], name: "break", match: ["x"], run: openFaults });
  if (!shared && !recording) {
    keys.add({
      keys: ["a"],
      name: "branches",
      match: ["a"],
      run: () => /** @type {HTMLElement | null} */ (document.querySelector("[popovertarget=branches]"))?.click(),
    });
    keys.add({ keys: ["y"], name: "share", match: ["y"], run: openShares });
  }
  if (recording) keys.remove(["run", "beat", "pace", "terminal", "state", "break"]);
  if (lesson && lesson.data.beats.length > 0) {
    keys.add({ keys: ["n"], name: "lessonNext", match: ["n"], run: lesson.next });
    keys.add({ keys: ["b"], name: "lessonBack", match: ["b"], run: lesson.previous });
    keys.add({ keys: ["r"], name: "lessonReturn", match: ["r"], run: lesson.restore });
  }

  /** Run on, or back, to a breakpoint. @param {1 | -1} by */
  function runTo(by) {
    if (!breakpoints.run(by)) toast(strings.t(breakpoints.points.peek().length ? "breaks.none" : "breaks.empty"));
  }

  /** Step through the conversation from what is selected; where its end is still to come, run on to it. @param {import("./conversation.js").Step} step */
  function stepThrough(step) {
    const { entries } = store.log;
    const to = stepped(entries, store.selected.peek() ?? store.shown.peek(), step, store.altitude.peek());
    if (!to) toast(strings.t(`step.none.${step}`));
    else if ("seq" in to) actions.standAt(to.seq);
    else if (!breakpoints.runUntil(endsCall(entries[to.awaits - 1]))) toast(strings.t("step.ahead", { seq: to.awaits }));
  }

  function present() {
    const on = !settings.presenting.peek();
    settings.present(on);
    terminalFolded.value = on || folded();
    toast(strings.t(on ? "view.presenting" : "view.left"));
  }

  function openShares() {
    if (store.may("share")) store.dialog.value = "share";
  }

  function openFaults() {
    if (!store.may("break") || store.cluster.peek().state === "ended") return;
    void breaking.load();
    store.dialog.value = "faults";
  }

  return {
    store,
    settings,
    details,
    answers,
    arranging,
    strings,
    vocabulary: createVocabulary(store.log.entries),
    urls,
    actions,
    recording,
    trail,
    spoken,
    coach,
    console: shell,
    endMessage,
    mishap,
    left,
    docked,
    state,
    typed,
    terminalFolded,
    lessonFolded,
    toast,
    lesson,
    breaking,
    breakpoints,
    bookmarks,
    runTo,
    stepThrough,
    keys,
    openFaults,
    present,
    openShares,
    shared,
    framed,
    imported,
    retryNow: () => socket.retryNow(),
    open: () => socket.open(),
    submit,
    /** Type a command letter by letter, then run it: so that the reader sees what the button stands for. @param {string} line */
    async typeCommand(line) {
      foldTerminal(false);
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
        for (let n = 2; n < line.length; n += 2) {
          typed.value = line.slice(0, n);
          await new Promise((resolve) => setTimeout(resolve, TYPE_MS));
        }
      }
      run(line);
    },
    foldTerminal,
    standStill,
    /** From a message to the line in the terminal that it follows from. @param {string} id */
    showCommand(id) {
      foldTerminal(false);
      requestAnimationFrame(() => {
        const line = document.getElementById(`ran-${id}`);
        line?.scrollIntoView({ block: "nearest" });
        line?.focus();
      });
    },
    /** @param {boolean} folded */
    foldLesson(folded) {
      lessonFolded.value = folded;
    },
    /** From the lesson to the terminal. */
    toTerminal() {
      lessonFolded.value = true;
      focusTerminal();
    },
    /** Go on in another cluster: with everything but the last thing done to this one, or with nothing done yet. @param {"undo" | "reset"} how */
    async replace(how) {
      try {
        const { Refusal, post } = await import("./post.js");
        const { url, message } = await post(`/clusters/${clusterId}/${how}/`).catch((problem) => {
          if (problem instanceof Refusal) return problem;
          throw problem;
        });
        // In a room the address stays: it leads to the successor, and the room stays around it.
        if (message) toast(message);
        else location.assign(inRoom ? location.pathname : url);
      } catch {
        toast(strings.t("lesson.offline"));
      }
    },
    /** @param {string} language */
    async setLanguage(language) {
      await strings.speak(language);
      keepLanguage(language);
    },
    newCluster() {
      const form = /** @type {HTMLFormElement | null} */ (document.getElementById("new-cluster"));
      if (form) form.requestSubmit();
      else location.assign("/sandbox/");
    },
  };
}

/** @param {string | null} text @returns {string[]} */
function parseHistory(text) {
  try {
    const lines = JSON.parse(text ?? "[]");
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}

/** An id no other command has; `crypto.randomUUID` is missing where the page came over plain HTTP from another machine. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
