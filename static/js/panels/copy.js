/** A button that copies a text and says that it did. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.js";

/** @param {{app: import("../app.js").App, text: string, label?: string}} props */
export function Copy({ app, text, label }) {
  const { t } = app.strings;
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  const words = done ? t("copy.done") : (label ?? t("copy.copy"));
  return h("button", { type: "button", class: "ghost copy", onClick: copy, title: words, "aria-label": words }, h(Icon, { name: done ? "check" : "copy", size: 15 }));
}
