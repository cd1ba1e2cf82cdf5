/** Bookmarks: the list of them, and the one of an open message with its note. */
import { h } from "preact";
import { NOTE_MAX } from "../bookmarks.js";
import { Icon } from "../icons.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function Bookmarks({ app }) {
  const {
    store,
    bookmarks,
    strings: { t, say },
  } = app;
  const list = bookmarks.list.value;
  // Those of which the journal has not come this far yet wait for it.
  if (list.length > 0) void store.log.head.value;
  return [
    h("h2", null, t("bookmarks.title")),
    h("p", null, t("bookmarks.text")),
    h(
      "ul",
      { class: "breaks-list" },
      list.map(({ seq, note }) => {
        const entry = store.log.get(seq);
        return h(
          "li",
          { key: seq },
          h(
            "button",
            { type: "button", class: "ghost bookmark", disabled: !entry, onClick: () => app.actions.goTo(seq) },
            h("b", null, note || `#${seq}`),
            h("span", { class: "fine" }, entry ? `#${seq} ${say(entry)}` : t("find.ahead")),
          ),
          h(
            "button",
            {
              type: "button",
              class: "ghost",
              title: t("bookmarks.remove"),
              "aria-label": `${t("bookmarks.remove")}: #${seq}`,
              onClick: () => bookmarks.toggle(seq),
            },
            h(Icon, { name: "trash", size: 15 }),
          ),
        );
      }),
    ),
  ];
}

/** The button that sets a message's bookmark. @param {import("./drawer.js").TabProps} props */
export function Mark({ app, entry }) {
  const { t } = app.strings;
  const on = app.bookmarks.at(entry.seq) !== null;
  const label = t(on ? "bookmarks.remove" : "bookmarks.add");
  return h(
    "button",
    {
      type: "button",
      class: `ghost${on ? " armed" : ""}`,
      "aria-pressed": String(on),
      title: `${label} (m)`,
      "aria-label": label,
      onClick: () => app.bookmarks.toggle(entry.seq),
    },
    h(Icon, { name: "bookmark" }),
  );
}

/** The note of a message that has a bookmark. @param {import("./drawer.js").TabProps} props */
export function Note({ app, entry }) {
  const mark = app.bookmarks.at(entry.seq);
  if (!mark) return null;
  const label = app.strings.t("bookmarks.note");
  return h("input", {
    key: entry.seq,
    class: "bookmark-note",
    type: "text",
    defaultValue: mark.note, // what is typed stays, though time goes on around it
    placeholder: label,
    "aria-label": label,
    maxLength: NOTE_MAX,
    autocomplete: "off",
    onChange: (/** @type {Event} */ event) => app.bookmarks.write(entry.seq, /** @type {HTMLInputElement} */ (event.currentTarget).value),
  });
}
