/**
 * The terminal: an accessible console. What programs print is a log region that screen readers follow; the line
 * has history, pasting of several lines, Ctrl-C and Ctrl-L; suggestions type and run a command.
 */
import { h } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { Editor } from "./editor.js";

/** @typedef {{app: import("../app.js").App}} Props */

export const FIRST_COMMAND = "kubectl create deployment web --image=nginx --replicas=3";
const SUGGESTIONS = [
  FIRST_COMMAND,
  "kubectl get pods -o wide",
  "kubectl get pods -w",
  "kubectl scale deployment web --replicas=5",
  "kubectl delete deployment web",
  "kubectl get nodes",
];

/** @param {Props} props */
export function Terminal({ app }) {
  const {
    strings: { t },
    console: shell,
  } = app;
  const folded = app.terminalFolded.value;
  const log = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { cursor, shown } = app.store;
  /** Whoever looks at the past sees the terminal as it was then. */
  const seen = cursor.value === null ? Number.POSITIVE_INFINITY : shown.value;
  const commands = shell.commands.value;
  const edits = shell.editing.value?.edits.value;
  useEffect(() => {
    if (edits) app.foldTerminal(false);
  }, [edits]);
  const then = commands.filter((command) => command.began <= seen);
  const letters = commands.reduce((sum, command) => sum + command.chunks.value.length + command.letters, 0);
  useLayoutEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [letters, commands.length, folded]);
  return h(
    "section",
    { class: `terminal pane${folded ? " folded" : ""}${edits ? " editing" : ""}`, "aria-label": t("terminal.label") },
    h(
      "header",
      { class: "terminal-head" },
      h(
        "button",
        { type: "button", class: "ghost title", "aria-expanded": String(!folded), onClick: () => app.foldTerminal(!folded) },
        h(Icon, { name: folded ? "up" : "down", size: 15 }),
        t("terminal.title"),
      ),
      app.store.may("type") &&
        h(
          "div",
          { class: "suggestions", role: "group", "aria-label": t("terminal.suggestions") },
          SUGGESTIONS.map((line, i) =>
            h(
              "button",
              {
                key: line,
                type: "button",
                class: `suggestion${i === 0 && commands.length === 0 ? " first" : ""}`,
                onClick: () => app.typeCommand(line),
                title: line,
              },
              line,
            ),
          ),
        ),
      commands.length > 0 &&
        h("button", { type: "button", class: "ghost small", onClick: shell.clear, title: "Ctrl-L" }, t("terminal.clear")),
    ),
    !folded && edits && h(Editor, { key: edits.n, app, edits }),
    !folded &&
      !edits &&
      h(
        "div",
        {
          class: "screen",
          onClick: (/** @type {MouseEvent} */ event) => {
            if (!getSelection()?.toString() && !(/** @type {Element} */ (event.target).closest("button")))
              document.getElementById("command")?.focus({ preventScroll: true });
          },
        },
        h(
          "div",
          { class: "screen-log", ref: log, role: "log", "aria-live": "polite", "aria-label": t("terminal.output"), tabIndex: 0 },
          app.store.may("type") && !commands.some(({ by }) => by !== "lesson") && h("p", { class: "screen-hint" }, t("terminal.hint")),
          then.map((command) => h(Ran, { key: command.id, app, command, seen })),
          then.length < commands.length && h("p", { class: "screen-hint" }, t("terminal.later", { count: commands.length - then.length })),
        ),
        app.store.may("type") ? h(Line, { app }) : h("p", { class: "screen-hint" }, t("terminal.watching")),
      ),
  );
}

/** @param {{app: import("../app.js").App, command: import("../console.js").Command, seen: number}} props  `seen`: the last entry that is looked at */
function Ran({ app, command, seen }) {
  const { t } = app.strings;
  const code = command.ended > seen ? null : command.code.value;
  return h(
    "div",
    { class: `ran by-${command.by}` },
    h(
      "p",
      { class: "ran-line" },
      h("span", { class: "prompt", "aria-hidden": "true" }, command.prompt),
      " ",
      h("b", null, command.line),
      command.by === "lesson" && h("span", { class: "ran-by" }, t("terminal.by_lesson")),
      code === null && h("span", { class: "spin", role: "img", "aria-label": t("terminal.running") }),
      command.code.value === null &&
        command.background &&
        command.by !== "lesson" &&
        app.store.may("type") &&
        h(
          "button",
          { type: "button", class: "ghost small stop", onClick: () => app.console.stop(command.id) },
          h(Icon, { name: "stop", size: 12 }),
          t("terminal.stop"),
        ),
    ),
    command.chunks.value.length > 0 &&
      h(
        "pre",
        null,
        command.chunks.value.map((chunk, i) => chunk.after <= seen && h("span", { key: i, class: chunk.stream }, plain(chunk.text))),
      ),
    code === "cut"
      ? h("p", { class: "ran-code" }, t("terminal.cut"))
      : typeof code === "number" && code !== 0 && h("p", { class: "ran-code" }, t("terminal.exit", { code })),
  );
}

/** Without the colour codes some programs write. @param {string} text */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const plain = (text) => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replace(/\r(?!\n)/g, "");

/** @param {Props} props */
function Line({ app }) {
  const {
    strings: { t },
    console: shell,
  } = app;
  const typed = app.typed;
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [at, setAt] = useState(0);
  const running = shell.running.value;
  const reading = shell.reading.value;
  const waiting = shell.waiting.value.length;
  const past = (reading ? shell.pastKeys : shell.past).value;
  useEffect(() => setAt(0), [past, past.length]);

  const recallLine = (/** @type {number} */ by) => {
    const next = Math.max(0, Math.min(past.length, at + by));
    setAt(next);
    typed.value = next === 0 ? "" : past[past.length - next];
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    if (key === "Escape") {
      document.getElementById("diagram")?.focus();
    } else if (key === "ArrowUp" || key === "ArrowDown") {
      event.preventDefault();
      recallLine(key === "ArrowUp" ? 1 : -1);
    } else if (event.ctrlKey && key === "c" && !selection(input.current)) {
      event.preventDefault();
      typed.value = "";
      shell.interrupt();
    } else if (event.ctrlKey && key === "d") {
      event.preventDefault();
      endInput();
    } else if (event.ctrlKey && key === "l") {
      event.preventDefault();
      shell.clear();
    }
    event.stopPropagation();
  };
  /** Ctrl-D: hand over what stands in the line, or say that nothing more comes; to the shell itself, leave it. */
  const endInput = () => {
    if (reading && typed.value) {
      if (shell.type(typed.value, { enter: false })) typed.value = "";
    } else if (reading) shell.end();
    else if (!typed.value && !running) shell.run("exit");
  };
  const onPaste = (/** @type {ClipboardEvent} */ event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!text.trim().includes("\n")) return;
    event.preventDefault();
    if (reading) shell.type((typed.value + text).replace(/\n$/, ""));
    else shell.run(typed.value + text);
    typed.value = "";
  };
  return h(
    "form",
    {
      class: "line",
      onSubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        app.submit(typed.value);
      },
    },
    h("label", { class: `prompt${reading ? " keys" : ""}`, for: "command" }, reading ? "›" : shell.prompt.value),
    h("input", {
      id: "command",
      ref: input,
      type: "text",
      value: typed.value,
      autocomplete: "off",
      autocapitalize: "off",
      autocorrect: "off",
      spellcheck: false,
      "aria-label": reading ? t("terminal.keys_label", { line: reading.line }) : t("terminal.command"),
      placeholder: reading ? t("terminal.keys") : running ? t("terminal.busy") : "",
      onInput: (/** @type {Event} */ event) => {
        typed.value = /** @type {HTMLInputElement} */ (event.currentTarget).value;
      },
      onKeyDown,
      onPaste,
    }),
    waiting > 0 && h("span", { class: "fine" }, t("terminal.waiting", { count: waiting })),
    reading && h("button", { type: "button", class: "ghost small", title: t("terminal.keys_end"), onClick: endInput }, "Ctrl-D"),
    running &&
      h("button", { type: "button", class: "ghost small stop", onClick: shell.interrupt }, h(Icon, { name: "stop", size: 12 }), "Ctrl-C"),
  );
}

/** @param {HTMLInputElement | null} input */
const selection = (input) => input !== null && input.selectionStart !== input.selectionEnd;
