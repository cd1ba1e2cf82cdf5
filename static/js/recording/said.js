/** What the page is that a run was put into: of when, from which message to which, and what is not in it. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.js";

/** @param {{app: import("../app.js").App}} props */
export function RecordingSaid({ app }) {
  const { t, language } = app.strings;
  const [read, setRead] = useState(false);
  const recording = /** @type {import("./recording.js").Sources} */ (app.recording);
  const { first, last, connection, began, leftOut } = recording.about;
  if (read) return null;
  const number = (/** @type {number} */ it) => new Intl.NumberFormat(language.value).format(it);
  const range = { first: number(first), last: number(last) };
  const date = began && new Date(began).toLocaleString(language.value, { dateStyle: "long", timeStyle: "short" });
  const opened = recording.opened.value;
  return h(
    "div",
    { class: "recording-said pane", role: "status" },
    h(
      "p",
      null,
      connection === null ? t("recording.range", range) : t("recording.connection", { connection, ...range }),
      " ",
      date && `${t("recording.began", { date })} `,
      leftOut > 0 && `${t("recording.forgotten", { first: number(first) })} `,
      opened > first && `${t("recording.bodies", { opened: number(opened) })} `,
      recording.isCut.value && `${t("recording.cut")} `,
      t(app.console.commands.value.length > 0 ? "recording.without_state" : "recording.without"),
    ),
    h(
      "button",
      { type: "button", class: "ghost small", onClick: () => setRead(true), "aria-label": t("banner.read"), title: t("banner.read") },
      h(Icon, { name: "close", size: 15 }),
    ),
  );
}
