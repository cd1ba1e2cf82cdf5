/** A button that copies a text and says that it did. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.js";

/** @param {{app: import("../app.js").App, text: string, label?: string, icon?: string}} props */
export function Copy({ app, text, label, icon = "copy" }) {
  const { t } = app.strings;
  const [done, setDone] = useState(false);
  const copy = async () => {
    await writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  const words = done ? t("copy.done") : (label ?? t("copy.copy"));
  return h(
    "button",
    { type: "button", class: "ghost copy", onClick: copy, title: words, "aria-label": words },
    h(Icon, { name: done ? "check" : icon, size: 15 }),
  );
}

/** To the clipboard; the old way where the page came over plain HTTP from another machine. @param {string} text */
export async function writeText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  return undefined;
}
