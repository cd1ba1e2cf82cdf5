/** Breaking something: the button, the chips of what is broken now, and each fault's card. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { later } from "./later.js";
import { Popover } from "./popover.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function BreakButton({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  if (!store.may("break") || store.cluster.value.state === "ended") return null;
  return h(
    "button",
    { type: "button", class: "toggle break", onClick: app.openFaults, title: `${t("fault.open")} (x)`, "aria-haspopup": "dialog" },
    h(Icon, { name: "bolt", size: 16 }),
    h("span", { class: "wide" }, t("fault.open")),
  );
}

const Card = later(() => import("../incidents/card.js"), "Card", "faults.css");

/** The card of what is broken now, beside the diagram. @param {Props & {id: string, name: string}} props */
function CardPopover({ app, id, name }) {
  const { t } = app.strings;
  const label = t("fault.cardOf", { name: t(`fault.${name}.name`) });
  return [
    h(
      "button",
      { type: "button", class: "fault-ask", popovertarget: `card-${id}`, title: t("fault.card"), "aria-label": label },
      h(Icon, { name: "help", size: 14 }),
    ),
    h(Popover, {
      id: `card-${id}`,
      class: "fault-popover",
      label,
      children: () => [h("h3", null, t(`fault.${name}.name`)), h(Card, { app, name, words: app.urls.words, strings: app.strings })],
    }),
  ];
}

/** What is broken on purpose, each with what heals it and, unless it is sealed, its card. @param {Props} props */
export function FaultChips({ app }) {
  const {
    store,
    strings: { t },
    breaking,
  } = app;
  const active = breaking.active.value;
  const able = store.may("break") && store.cluster.value.state === "running";
  const heal = async (/** @type {string} */ id) => {
    const message = await breaking.heal(id);
    if (message) app.toast(message);
  };
  return h(
    "div",
    { role: "status", class: "fault-status" },
    active.length > 0 &&
      !store.loading.value &&
      h(
        "section",
        { class: "fault-chips pane", "aria-label": t("fault.active") },
        h("h2", null, t("fault.active")),
        h(
          "ul",
          null,
          active.map((fault) => {
            const name = fault.name ? t(`fault.${fault.name}.name`) : t("fault.something");
            const busy = breaking.healing.value.has(fault.id);
            return h(
              "li",
              { key: fault.id, class: "fault-chip" },
              h(
                "button",
                {
                  type: "button",
                  disabled: fault.sealed,
                  onClick: () => app.actions.reveal(fault.seq),
                  title: fault.sealed ? undefined : t("fault.show"),
                },
                h(Icon, { name: "bolt", size: 14 }),
                name,
                fault.target && h("span", { class: "fault-where" }, t("fault.on", { target: fault.target })),
              ),
              // A run in one file has no cards.
              fault.name && !app.recording && h(CardPopover, { app, id: fault.id, name: fault.name }),
              able &&
                h(
                  "button",
                  {
                    type: "button",
                    class: "fault-heal",
                    disabled: busy,
                    onClick: () => heal(fault.id),
                    "aria-label": t("fault.healOne", { name }),
                  },
                  t(busy ? "fault.healing" : "fault.heal"),
                ),
            );
          }),
        ),
        able &&
          active.length > 1 &&
          h(
            "button",
            {
              type: "button",
              class: "ghost small",
              onClick: async () => {
                const message = await breaking.heal();
                if (message) app.toast(message);
              },
            },
            t("fault.healAll"),
          ),
      ),
  );
}
