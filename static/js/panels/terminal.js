/**
 * The terminal: an accessible console. What programs print is a log region that screen readers follow;
 * suggestions type and run a command. The line is commandline.js, and the editor that takes the screen's place editor.js.
 */
import { h } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { startOf } from "../following.js";
import { Icon } from "../icons.js";
import { CommandLine } from "./commandline.js";
import { later } from "./later.js";

/** @typedef {{app: import("../app.js").App}} Props */

const Editor = later(() => import("./editor.js"), "Editor");

/** How close to its end, in pixels, a reader is for whom it stays in view. */
const AT_END = 24;
/** How long a size must stay before programs are told it: a border that is dragged has many. */
const RESIZED_MILLISECONDS = 150;
/** Output whose lines are all this short is shown as it was written, a table with its columns, and scrolls sideways. */
const WHOLE_LETTERS_MAX = 240;

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
  /** Whether the end stays in view as more comes: not for who has scrolled up to read, until they type again. */
  const atEnd = useRef(true);
  const toEnd = () => {
    if (log.current && atEnd.current) log.current.scrollTop = log.current.scrollHeight;
  };
  const letters = commands.reduce((sum, command) => sum + command.chunks.value.length + command.letters, 0);
  const running = commands.filter((command) => command.code.value === null).length;
  useLayoutEffect(() => {
    atEnd.current = true;
  }, [commands.length, folded]);
  useLayoutEffect(toEnd, [letters, running, commands.length, folded]);
  useLayoutEffect(() => {
    if (!log.current) return;
    const measured = () => {
      if (log.current) shell.resize(...sizeOf(log.current));
    };
    let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
    const watching = new ResizeObserver(() => {
      toEnd();
      clearTimeout(timer);
      timer = setTimeout(measured, RESIZED_MILLISECONDS);
    });
    measured();
    watching.observe(log.current);
    return () => {
      watching.disconnect();
      clearTimeout(timer);
    };
  }, [folded, edits]);
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
      app.store.may("type") &&
        app.store.may("drive") &&
        h(
          "label",
          { class: "check stand-still", title: t("terminal.still.title") },
          h("input", {
            type: "checkbox",
            checked: app.standStill.value,
            onChange: (/** @type {Event} */ event) => {
              app.standStill.value = /** @type {HTMLInputElement} */ (event.currentTarget).checked;
            },
          }),
          h("span", null, t("terminal.still")),
        ),
      commands.length > 0 &&
        !app.recording &&
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
          {
            class: "screen-log",
            ref: log,
            role: "log",
            "aria-live": "polite",
            "aria-label": t("terminal.output"),
            tabIndex: 0,
            onScroll: (/** @type {Event} */ event) => {
              const { scrollTop, clientHeight, scrollHeight } = /** @type {HTMLElement} */ (event.currentTarget);
              atEnd.current = scrollTop + clientHeight >= scrollHeight - AT_END;
            },
            onKeyDown: typeBelow,
          },
          app.store.may("type") && !commands.some(({ by }) => by !== "lesson") && h("p", { class: "screen-hint" }, t("terminal.hint")),
          then.map((command) => h(Ran, { key: command.id, app, command, seen })),
          then.length < commands.length && h("p", { class: "screen-hint" }, t("terminal.later", { count: commands.length - then.length })),
        ),
        app.store.may("type") ? h(CommandLine, { app }) : !app.recording && h("p", { class: "screen-hint" }, t("terminal.watching")),
      ),
  );
}

/** How many columns and rows of output are in view. @param {HTMLElement} log @returns {[number, number]} */
function sizeOf(log) {
  const style = getComputedStyle(log);
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return [0, 0];
  pen.font = style.font;
  const room = log.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
  const line = Number.parseFloat(style.lineHeight) || Number.parseFloat(style.fontSize) * 1.5;
  return [room / pen.measureText("0").width, log.clientHeight / line];
}

/** What is typed while the output has the focus, as after text was marked in it, is typed into the line. @param {KeyboardEvent} event */
function typeBelow(event) {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  document.getElementById("command")?.focus({ preventScroll: true });
  event.stopPropagation();
}

/** @param {{app: import("../app.js").App, command: import("../console.js").Command, seen: number}} props  `seen`: the last entry that is looked at */
function Ran({ app, command, seen }) {
  const { t } = app.strings;
  const code = command.ended > seen ? null : command.code.value;
  void app.store.log.head.value;
  const start = startOf(app.store.log.entries, command);
  return h(
    "div",
    { class: `ran by-${command.by}`, id: `ran-${command.id}`, tabIndex: -1 },
    h(
      "p",
      { class: "ran-line" },
      h("span", { class: "prompt", "aria-hidden": "true" }, command.prompt),
      " ",
      h("b", null, command.line),
      start &&
        h(
          "button",
          {
            type: "button",
            class: "ghost small ran-start",
            title: t("terminal.start"),
            "aria-label": `${t("terminal.start")}: #${start.seq}`,
            onClick: () => app.actions.goTo(start.seq),
          },
          `#${start.seq}`,
        ),
      command.by === "lesson" && h("span", { class: "ran-by" }, t("terminal.by_lesson")),
      code === null && h("span", { class: "spin", role: "img", "aria-label": t("terminal.running") }),
      command.code.value === null &&
        command.background.value &&
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
        { class: command.chunks.value.every(({ text }) => isNarrow(text)) ? "whole" : "" },
        command.chunks.value.map((chunk, i) => chunk.after <= seen && h("span", { key: i, class: chunk.stream }, plain(chunk.text))),
      ),
    code === "cut"
      ? h("p", { class: "ran-code" }, t("terminal.cut"))
      : typeof code === "number" && code !== 0 && h("p", { class: "ran-code" }, t("terminal.exit", { code })),
  );
}

/** @param {string} text */
const isNarrow = (text) => text.split("\n").every((line) => line.length <= WHOLE_LETTERS_MAX);

/** Without the colour codes some programs write. @param {string} text */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const plain = (text) => text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replace(/\r(?!\n)/g, "");
