/** The page put together: store, wire, console and panels know each other only through this. */
import { effect, signal } from "@preact/signals-core";
import { createActions } from "./actions.js";
import { createBreaking } from "./breaking.js";
import { heard, unheard } from "./clock.js";
import { createCoach } from "./coach.js";
import { createConsole } from "./console.js";
import { createDetails } from "./details.js";
import { createKeys } from "./keys.js";
import { NOBODY } from "./lanes.js";
import { keepProgress } from "./lesson/keep.js";
import { createLesson } from "./lesson/lesson.js";
import { createSettings, keep, keepLanguage, recall, tabName } from "./settings.js";
import { Socket } from "./socket.js";
import { createStore } from "./store.js";
import { loadWords } from "./strings.js";

/** @typedef {{socket: string, entries: string, kubeconfig: string, newCluster: string, words: string}} Urls */
/** @typedef {ReturnType<typeof createApp>} App */

const narrow = () => matchMedia("(width < 900px)").matches;
const TYPE_MS = 14;
const TOAST_MS = 4000;
const TERMINAL = new Set(["typed", "output", "reads", "editing", "background", "done", "terminals"]);

/** @param {{clusterId: string, urls: Urls, strings: import("./strings.js").Strings, lessonData?: import("./lesson/lesson.js").LessonData | null, inRoom?: boolean}} page */
export function createApp({ clusterId, urls, strings, lessonData = null, inRoom = false }) {
  const store = createStore({ cluster: { id: clusterId }, shortcuts: recall("shortcuts") !== "off", say: strings.say });
  const settings = createSettings();
  const details = createDetails(urls.entries);
  const endMessage = signal("");
  /** What the cluster's process was ended over; "" once it was read. */
  const mishap = signal("");
  /** The reader is no longer in the room that they came by; its bar says so, and nothing else is to. */
  const left = signal(false);
  /** What is drawn at the side of the diagram (panels/docked.js). @type {import("@preact/signals-core").Signal<(() => any) | null>} */
  const docked = signal(null);
  const typed = signal("");
  const terminalFolded = signal(recall("terminal") === "folded");
  const lessonFolded = signal(false);
  let toasts = 0;

  const socket = new Socket({
    url: urls.socket,
    entriesUrl: urls.entries,
    log: store.log,
    onFrame: hear,
    onState,
    commands: () => shell.heard(),
  });
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
  const coach = createCoach(store, shell);
  const send = (/** @type {import("./socket.js").Frame} */ frame) => socket.send(frame);
  const lesson = lessonData ? createLesson({ data: lessonData, store, actions, send, narrow }) : null;
  if (lesson) keepProgress(lesson);
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

  /** @param {{state: any, message?: string, nodes?: number, seed?: number, life?: number, mishap?: string, successor?: string | null}} cluster */
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
      if (store.cast.peek() === NOBODY) store.cast.value = frame.cast;
      lesson?.hear(frame.lesson ?? null);
      if (frame.clock) store.setClock(heard, frame.clock);
    } else if (frame.type === "clock") store.setClock(heard, /** @type {any} */ (frame));
    else if (frame.type === "cluster") onCluster(frame.cluster);
    else if (frame.type === "lesson") lesson?.hear(frame.lesson);
    else if (TERMINAL.has(frame.type)) shell.hear(frame);
    else if (frame.type === "completed") shell.hearPossible(frame);
    else if (frame.type === "error" && !(frame.id && shell.refuse(frame.id, frame.message))) toast(frame.message);
  }

  /** @param {boolean} folded */
  function foldTerminal(folded) {
    terminalFolded.value = folded;
    keep("terminal", folded ? "folded" : "open");
  }

  function focusTerminal() {
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
    shell.run(line);
    keep("history", JSON.stringify(shell.past.peek()));
  }

  const keys = createKeys({ store, actions, focusTerminal });
  keys.add({ keys: ["x"], name: "break", match: ["x"], run: openFaults });
  if (lesson && lesson.data.beats.length > 0) {
    keys.add({ keys: ["n"], name: "lessonNext", match: ["n"], run: lesson.next });
    keys.add({ keys: ["b"], name: "lessonBack", match: ["b"], run: lesson.previous });
    keys.add({ keys: ["r"], name: "lessonReturn", match: ["r"], run: lesson.restore });
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
    strings,
    urls,
    actions,
    coach,
    console: shell,
    endMessage,
    mishap,
    left,
    docked,
    typed,
    terminalFolded,
    lessonFolded,
    toast,
    lesson,
    breaking,
    keys,
    openFaults,
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
      const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";
      try {
        const response = await fetch(`/clusters/${clusterId}/${how}/`, {
          method: "POST",
          headers: { "X-CSRFToken": token, Accept: "application/json" },
        });
        const answer = await response.json();
        // In a room the address stays: it leads to the successor, and the room stays around it.
        if (response.ok) location.assign(inRoom ? location.pathname : answer.url);
        else toast(answer.message);
      } catch {
        toast(strings.t("lesson.offline"));
      }
    },
    /** @param {string} language */
    async setLanguage(language) {
      strings.use(await loadWords(urls.words, language), language);
      keepLanguage(language);
    },
    newCluster() {
      /** @type {HTMLFormElement | null} */ (document.getElementById("new-cluster"))?.requestSubmit();
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
