/** Ways on from an entry: follow its object, its connection, its lane, what led to it, what follows from it. */
import { h } from "preact";
import { WAYS, followed, typedFor, withRest } from "../following.js";

/** @param {import("./drawer.js").TabProps} props */
export function Follow({ app, entry }) {
  const {
    store,
    actions,
    strings: { t },
  } = app;
  const line = store.text.value;
  const command = typedFor(store.log.entries, entry.seq, app.console.commands.value);
  return h(
    "div",
    { class: "follow", role: "group", "aria-label": t("follow.label") },
    h("span", { class: "fine", "aria-hidden": "true" }, t("follow.label")),
    WAYS.map((way) => {
      const query = followed(entry, way);
      if (query === null) return null;
      const on = line === withRest(query);
      return h(
        "button",
        {
          key: way,
          type: "button",
          class: "ghost small",
          "aria-pressed": String(on),
          title: t(`follow.${way}.title`),
          onClick: () => actions.follow(way),
        },
        t(`follow.${way}`),
      );
    }),
    command &&
      h(
        "button",
        { type: "button", class: "ghost small", title: command.line, onClick: () => app.showCommand(command.id) },
        t("follow.terminal"),
      ),
  );
}
