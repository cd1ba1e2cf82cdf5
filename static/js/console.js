/**
 * The terminal's commands and what they answered. No DOM: the terminal panel shows it.
 *
 * One command of this page runs at a time; what is typed meanwhile waits its turn, as in a terminal. A line that began
 * jobs (&) goes on in the background once it is over, beside those that follow. While a program of the command that runs
 * here waits for what is typed, what is typed goes to it, and comes back as output of the stream stdin. What is typed
 * elsewhere in the same cluster, by the lesson or on another page, is heard and shown too; what was typed on this page
 * before it was reloaded is its own still. Frames are numbered within their command, so that a lost connection can be
 * resumed there too, without a gap or a duplicate. A command of which nothing was heard before the connection was lost
 * is sent again: it may not have come, and a cluster runs it once.
 */
import { computed, signal } from "@preact/signals-core";
import { completed } from "./lineedit.js";

/** @typedef {{stream: string, text: string, after: number}} Chunk  `after`: the journal's last entry when it was said */
/** @typedef {{id: string, line: string, prompt: string, chunks: import("@preact/signals-core").Signal<Chunk[]>, code: import("@preact/signals-core").Signal<number | "cut" | "refused" | null>, began: number, ended: number, letters: number, background: import("@preact/signals-core").Signal<boolean>, reads: import("@preact/signals-core").Signal<boolean>, edits: import("@preact/signals-core").Signal<Edits | null>, by: "here" | "page" | "lesson"}} Command */
/** What a program of a command asks to have edited; `problem`: what came of the last try. @typedef {{name: string, text: string, problem: string, n: number}} Edits */
/** @typedef {ReturnType<typeof createConsole>} Console */

const COMMANDS_MAX = 100;
const KNOWN_MAX = 1000;
/** More than the server keeps. */
const TOLD_MAX = 64;
const LETTERS_MAX = 200_000;
const HISTORY_MAX = 200;
const WAITING_MAX = 50;
/** What the server takes of a line, of keys and of an edited text. */
export const TEXT_MAX = 32 * 1024;
/** What a terminal shows before anybody has gone anywhere in it. */
const PROMPT = "workstation:~$";
/** What the server takes as a terminal's columns or rows. */
const CELLS_MAX = 1000;
/** What goes on in the next line: a here-document, a loop or a condition, a line that ends in \ | && or ||. */
const GOES_ON = /<<|(?:\\|\||&&)$|^\s*(?:for|while|until|if)\b/m;

/** @param {number} cells */
const fitting = (cells) => Math.max(0, Math.min(CELLS_MAX, Math.floor(cells) || 0));

/** The commands that a text holds: its lines, or all of it where one line goes on in the next. @param {string} text @returns {string[]} */
export function commandsOf(text) {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith("#"));
  return lines.length > 1 && GOES_ON.test(text) ? [text.trim()] : lines;
}

/** @param {{send: (frame: import("./socket.js").Frame) => boolean, newId: () => string, isOwn?: (id: string) => boolean, history?: string[]}} parts  `isOwn`: whether a command was typed here, also before the page was reloaded */
export function createConsole({ send, newId, isOwn = () => false, history = [] }) {
  const commands = signal(/** @type {Command[]} */ ([]));
  const waiting = signal(/** @type {string[]} */ ([]));
  const prompt = signal(PROMPT);
  const past = signal(history.slice(-HISTORY_MAX));
  /** What was typed to programs; a list of its own, as a shell in a container has its own. */
  const pastKeys = signal(/** @type {string[]} */ ([]));
  const running = computed(
    () => commands.value.find((command) => command.code.value === null && command.by === "here" && !command.background.value) ?? null,
  );
  const reading = computed(() => (running.value?.reads.value && running.value.code.value === null ? running.value : null));
  const possible = signal(/** @type {string[]} */ ([]));
  /** The terminal's size in characters, once the page knows it. */
  let size = /** @type {{columns: number, rows: number} | null} */ (null);
  let asked = /** @type {{id: string, line: string, set: (line: string) => void} | null} */ (null);
  const editing = computed(() => (running.value?.edits.value ? running.value : null));
  /** The last frame heard of each command, also of those cleared away: a cluster that comes back says all again. @type {Map<string, number>} */
  const known = new Map();
  /** Commands that were sent and of which nothing was heard yet. @type {Set<string>} */
  const silent = new Set();
  /** Those of them that went into a connection which is lost. @type {Set<string>} */
  const doubtful = new Set();

  /** @param {string} id @param {string} line @param {Command["by"]} by @param {string} at its prompt @param {number} began after which entry @returns {Command} */
  const made = (id, line, by, at, began) => ({
    id,
    line,
    prompt: at,
    chunks: signal([]),
    code: signal(null),
    began,
    ended: 0,
    letters: 0,
    background: signal(by !== "here"),
    reads: signal(false),
    edits: signal(null),
    by,
  });

  /** @param {Command} command */
  function show(command) {
    known.set(command.id, 0);
    if (known.size > KNOWN_MAX) known.delete(/** @type {string} */ (known.keys().next().value));
    commands.value = [...commands.value, command].slice(-COMMANDS_MAX);
  }

  /** @param {string} line */
  function start(line) {
    const command = made(newId(), line, "here", prompt.peek(), 0);
    if (!send(typing(command))) return false;
    show(command);
    silent.add(command.id);
    return true;
  }

  /** @param {Command} command */
  const typing = ({ id, line }) => ({ type: "command", id, line, keyboard: true, ...(size ?? {}) });

  /** @param {string} id */
  function isHeard(id) {
    silent.delete(id);
    doubtful.delete(id);
  }

  /** @param {Command} command @param {Chunk} chunk */
  function add(command, chunk) {
    const chunks = command.chunks.peek();
    const last = chunks[chunks.length - 1];
    const joined =
      last?.stream === chunk.stream && last.after === chunk.after
        ? [...chunks.slice(0, -1), { ...chunk, text: last.text + chunk.text }]
        : [...chunks, chunk];
    command.letters += chunk.text.length;
    while (command.letters > LETTERS_MAX && joined.length > 0) {
      const over = command.letters - LETTERS_MAX;
      const first = joined[0];
      if (first.text.length <= over) joined.shift();
      else joined[0] = { ...first, text: first.text.slice(over) };
      command.letters -= Math.min(over, first.text.length);
    }
    command.chunks.value = joined;
  }

  function next() {
    for (const command of commands.peek()) if (doubtful.has(command.id) && send(typing(command))) doubtful.delete(command.id);
    while (!running.peek() && waiting.peek().length > 0) {
      const [line, ...rest] = waiting.peek();
      if (!start(line)) return;
      waiting.value = rest;
    }
  }

  return {
    commands,
    waiting,
    past,
    /** What the next line stands behind: where one is. */
    prompt,
    running,
    /** The command whose program waits for what is typed. */
    reading,
    /** What may stand at the end of the line that is typed, where Tab was pressed and there is more than one. */
    possible,
    /** Tab: ask what may stand at the end of a line. @param {string} line @param {(line: string) => void} set  called with the line as it is then */
    complete(line, set) {
      const id = newId();
      asked = { id, line, set };
      return send({ type: "complete", id, line });
    },
    /** The line is another now: what was asked for it counts no longer. */
    forgetPossible() {
      asked = null;
      if (possible.peek().length > 0) possible.value = [];
    },
    /** @param {import("./socket.js").Frame} frame  with `begin` and `words`, or an error */
    hearPossible(frame) {
      if (asked === null || frame.id !== asked.id) return;
      const { line, set } = asked;
      asked = null;
      const words = frame.words ?? [];
      const longer = completed(line, frame.begin ?? line.length, words);
      set(longer);
      possible.value = longer === line ? words : [];
    },
    /** The command whose program waits for an edited text. */
    editing,
    /** Give back the text that was edited; null leaves it as it was. @param {string | null} text */
    edited(text) {
      const command = editing.peek();
      if (command && send({ type: "edited", id: command.id, text })) command.edits.value = null;
    },
    pastKeys,
    /** The terminal has another size now: a command that runs is told. @param {number} columns @param {number} rows */
    resize(columns, rows) {
      const now = { columns: fitting(columns), rows: fitting(rows) };
      if (now.columns * now.rows === 0 || (now.columns === size?.columns && now.rows === size.rows)) return;
      size = now;
      const command = running.peek();
      if (command) send({ type: "resize", id: command.id, ...size });
    },
    /** Type a line to the program that waits, or what stands in it without ending it. @param {string} text @param {{enter?: boolean}} [how] */
    type(text, { enter = true } = {}) {
      const command = reading.peek();
      if (!command || !send({ type: "keys", id: command.id, text: enter ? `${text}\n` : text })) return false;
      if (text.trim() && pastKeys.peek().at(-1) !== text) pastKeys.value = [...pastKeys.peek(), text].slice(-HISTORY_MAX);
      return true;
    },
    /** Ctrl-D: what is typed to the program that waits ends here. */
    end() {
      const command = reading.peek();
      if (command) send({ type: "keys", id: command.id, end: true });
    },
    /** Run a line now, or after those before it. @param {string} text */
    run(text) {
      const lines = commandsOf(text);
      for (const line of lines) if (past.peek()[past.peek().length - 1] !== line) past.value = [...past.peek(), line].slice(-HISTORY_MAX);
      waiting.value = [...waiting.peek(), ...lines].slice(0, WAITING_MAX);
      next();
    },
    interrupt() {
      waiting.value = [];
      const command = running.peek();
      if (command) send({ type: "interrupt", id: command.id });
    },
    /** End one that runs in the background. @param {string} id */
    stop(id) {
      send({ type: "interrupt", id });
    },
    clear() {
      commands.value = commands.peek().filter((command) => command.code.peek() === null);
    },
    /** For each command the last frame heard: where the server is to go on. */
    heard() {
      const open = commands
        .peek()
        .filter((command) => command.code.peek() === null)
        .map(({ id }) => id);
      const ids = new Set([...open, ...[...known.keys()].reverse()]);
      return Object.fromEntries([...ids].slice(0, TOLD_MAX).map((id) => [id, known.get(id) ?? 0]));
    },
    /** The cluster is there: what could not be sent is sent now. */
    resume: next,
    /** The connection is back: what may not have come is sent again, and what could not be sent is sent now. */
    reconnect() {
      for (const id of silent) doubtful.add(id);
      next();
    },
    /** The cluster ended: nothing more will be heard of what runs. */
    cut() {
      for (const command of commands.peek()) if (command.code.peek() === null) [command.code.value, command.edits.value] = ["cut", null];
      waiting.value = [];
      silent.clear();
      doubtful.clear();
    },
    /** Nobody runs the cluster just now: a command of which nothing was heard is sent again when it is back. @param {string} id @returns {boolean} whether it is one */
    postpone(id) {
      const command = commands.peek().find((other) => other.id === id);
      if (!command || command.code.peek() !== null || !silent.has(id)) return false;
      doubtful.add(id);
      return true;
    },
    /** The server did not start a command; nothing more will be heard of it. @param {string} id @param {string} message @returns {boolean} whether it is told here */
    refuse(id, message) {
      const command = commands.peek().find((other) => other.id === id);
      if (!command || command.code.peek() !== null || (known.get(id) ?? 0) > 0) return false;
      isHeard(id);
      add(command, { stream: "stderr", text: message, after: command.began });
      command.code.value = "refused";
      next();
      return true;
    },
    /** @param {import("./socket.js").Frame} frame */
    hear(frame) {
      if (frame.type === "terminals") {
        for (const each of frame.frames) this.hear(each);
        return;
      }
      const n = known.get(frame.id);
      isHeard(frame.id);
      if (frame.type === "typed") {
        if (n === undefined) {
          const by = frame.by === "lesson" ? "lesson" : isOwn(frame.id) ? "here" : "page";
          show(made(frame.id, frame.line, by, frame.prompt || PROMPT, frame.after ?? 0));
        } else commands.value = commands.peek().map((one) => (one.id === frame.id ? { ...one, began: frame.after ?? 0 } : one));
        return;
      }
      const command = commands.peek().find(({ id }) => id === frame.id);
      if (n === undefined || !command || command.code.peek() !== null || (frame.n !== undefined && frame.n <= n)) return;
      known.set(frame.id, frame.n ?? n);
      if (frame.type === "editing") command.edits.value = { name: frame.name, text: frame.text, problem: frame.problem ?? "", n: frame.n };
      else if (frame.type === "reads") command.reads.value = frame.reads;
      else if (frame.type === "output") add(command, { stream: frame.stream, text: frame.text, after: frame.after ?? 0 });
      else if (frame.type === "background") {
        command.background.value = true;
        prompt.value = frame.prompt;
        next();
      } else if (frame.type === "done") {
        command.ended = frame.after ?? 0;
        command.code.value = frame.code;
        command.edits.value = null;
        if (frame.prompt) prompt.value = frame.prompt;
        next();
      }
    },
  };
}
