/**
 * The editor: a text that a program asks to have edited (`edit FILE`, `kubectl edit`), in place of the terminal's screen.
 * Save hands it over, Cancel leaves it as it was. Escape does neither, so that no text is lost by a slip.
 */
import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { TEXT_MAX } from "../console.js";

/** @param {{app: import("../app.js").App, edits: import("../console.js").Edits}} props */
export function Editor({ app, edits }) {
  const { t } = app.strings;
  const [problem, setProblem] = useState(edits.problem);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(0, 0);
    return () => {
      requestAnimationFrame(() => document.getElementById("command")?.focus({ preventScroll: true }));
    };
  }, []);

  const save = () => {
    const text = area.current?.value ?? "";
    if (text.length > TEXT_MAX) setProblem(t("editor.too_long", { count: TEXT_MAX }));
    else app.console.edited(text);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      save();
    }
    event.stopPropagation();
  };
  return h(
    "form",
    {
      class: "editor",
      "aria-label": t("editor.label", { name: edits.name }),
      onKeyDown,
      onSubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        save();
      },
    },
    h(
      "div",
      { class: "editor-head" },
      h("label", { for: "editor-text" }, h("code", null, edits.name)),
      h("button", { type: "submit", class: "button", title: "Ctrl-S" }, t("editor.save")),
      h("button", { type: "button", class: "button", onClick: () => app.console.edited(null) }, t("editor.cancel")),
    ),
    h("p", { class: "editor-problem", role: "alert" }, problem),
    h("textarea", {
      id: "editor-text",
      ref: area,
      defaultValue: edits.text,
      spellcheck: false,
      autocomplete: "off",
      autocapitalize: "off",
      wrap: "off",
    }),
  );
}
