/**
 * The line of the terminal. It has the past (↑ ↓, Ctrl-R searches it), what may stand at its end (Tab), and readline's
 * keys; while a program waits for what is typed, it is that program's. Tab leaves an empty line, and one that nothing can
 * be added to, so that nobody is caught in it; Escape leaves it always.
 */
import { h } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { editLine, searchPast } from "../lineedit.js";

/** @param {{app: import("../app.js").App}} props */
export function CommandLine({ app }) {
  const {
    strings: { t },
    console: shell,
    typed,
  } = app;
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [at, setAt] = useState(0);
  /** The search of the past: the line is what is looked for. */
  const [search, setSearch] = useState(/** @type {{skip: number} | null} */ (null));
  /** The line that Tab could add nothing to. */
  const [whole, setWhole] = useState("");
  const cursor = useRef(/** @type {number | null} */ (null));
  const running = shell.running.value;
  const reading = shell.reading.value;
  const waiting = shell.waiting.value.length;
  const past = (reading ? shell.pastKeys : shell.past).value;
  const possible = shell.possible.value;
  const found = search ? searchPast(past, typed.value, search.skip) : "";
  useEffect(() => setAt(0), [past, past.length]);
  useLayoutEffect(() => {
    if (cursor.current !== null) input.current?.setSelectionRange(cursor.current, cursor.current);
    cursor.current = null;
  });

  const put = (/** @type {string} */ value, place = value.length) => {
    typed.value = value;
    cursor.current = place;
    shell.forgetPossible();
  };
  const recallLine = (/** @type {number} */ by) => {
    const next = Math.max(0, Math.min(past.length, at + by));
    setAt(next);
    put(next === 0 ? "" : past[past.length - next]);
  };
  const complete = () => {
    const line = typed.value;
    const set = (/** @type {string} */ longer) => {
      if (typed.peek() !== line) return;
      if (longer === line) setWhole(line);
      else put(longer);
    };
    if (!shell.complete(line, set)) setWhole(line);
    input.current?.focus();
  };
  /** Ctrl-D: hand over what stands in the line, or say that nothing more comes; to the shell itself, leave it. */
  const endInput = () => {
    if (reading && typed.value) {
      if (shell.type(typed.value, { enter: false })) put("");
    } else if (reading) shell.end();
    else if (!typed.value && !running) shell.run("exit");
  };
  const leaveSearch = (/** @type {string} */ line) => {
    setSearch(null);
    put(line);
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether the key is taken */
  function searching(event) {
    const { key, ctrlKey } = event;
    if (ctrlKey && key === "r") setSearch(search ? { skip: search.skip + 1 } : { skip: 0 });
    else if (search === null) return false;
    else if (key === "Escape" || (ctrlKey && (key === "c" || key === "g"))) leaveSearch("");
    else if (key === "Tab" || key.startsWith("Arrow") || key === "Home" || key === "End") leaveSearch(found);
    else return false;
    return true;
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key is taken */
  function typing(event) {
    const { key, ctrlKey } = event;
    const place = input.current?.selectionStart ?? typed.value.length;
    if (key === "ArrowUp" || key === "ArrowDown") recallLine(key === "ArrowUp" ? 1 : -1);
    else if (key === "Tab" && !event.shiftKey && !ctrlKey) {
      if (reading || !typed.value.trim() || typed.value === whole || place < typed.value.length) return false;
      complete();
    } else if (event.altKey && !ctrlKey) return edit(`Alt-${key}`, place);
    else if (!ctrlKey || event.altKey || event.metaKey) return false;
    else if (key === "c" && !selection(input.current)) {
      put("");
      shell.interrupt();
    } else if (key === "d") endInput();
    else if (key === "l") shell.clear();
    else return edit(key, place);
    return true;
  }

  /** @param {string} key @param {number} at @returns {boolean} whether the key is taken */
  function edit(key, at) {
    const line = editLine(key, { value: typed.value, at });
    if (line) put(line.value, line.at);
    return line !== null;
  }

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (searching(event) || typing(event)) event.preventDefault();
    else if (event.key === "Escape") document.getElementById("diagram")?.focus();
    event.stopPropagation();
  };
  const onPaste = (/** @type {ClipboardEvent} */ event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (search || !text.trim().includes("\n")) return;
    event.preventDefault();
    if (reading) shell.type((typed.value + text).replace(/\n$/, ""));
    else shell.run(typed.value + text);
    put("");
  };
  const prompt = search ? t("terminal.search") : reading ? "›" : shell.prompt.value;
  return h(
    "form",
    {
      class: "line",
      onSubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (search) leaveSearch(found);
        shell.forgetPossible();
        app.submit(typed.value);
      },
    },
    possible.length > 0 &&
      h(
        "p",
        { class: "possible", role: "status", tabIndex: 0, style: { "--letters": Math.max(...possible.map((word) => word.length)) } },
        h("span", { class: "visually-hidden" }, t("terminal.possible")),
        possible.map((word) => h("span", { key: word }, word, " ")),
      ),
    h("label", { class: `prompt${reading ? " keys" : ""}`, for: "command" }, prompt),
    h("input", {
      id: "command",
      ref: input,
      type: "text",
      value: typed.value,
      autocomplete: "off",
      autocapitalize: "off",
      autocorrect: "off",
      spellcheck: false,
      "aria-label": search ? t("terminal.search") : reading ? t("terminal.keys_label", { line: reading.line }) : t("terminal.command"),
      placeholder: reading ? t("terminal.keys") : running ? t("terminal.busy") : "",
      onInput: (/** @type {Event} */ event) => {
        typed.value = /** @type {HTMLInputElement} */ (event.currentTarget).value;
        if (search) setSearch({ skip: 0 });
        shell.forgetPossible();
      },
      onKeyDown,
      onPaste,
    }),
    search && h("output", { class: "found", for: "command" }, found),
    waiting > 0 && h("span", { class: "fine" }, t("terminal.waiting", { count: waiting })),
    !reading &&
      typed.value.trim() &&
      h("button", { type: "button", class: "ghost small by-touch", title: t("terminal.complete"), onClick: complete }, "Tab"),
    reading && h("button", { type: "button", class: "ghost small", title: t("terminal.keys_end"), onClick: endInput }, "Ctrl-D"),
    running &&
      h("button", { type: "button", class: "ghost small stop", onClick: shell.interrupt }, h(Icon, { name: "stop", size: 12 }), "Ctrl-C"),
  );
}

/** @param {HTMLInputElement | null} input */
const selection = (input) => input !== null && input.selectionStart !== input.selectionEnd;
