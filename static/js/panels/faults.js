/** Breaking something: the button, the dialog with the form, the chips of what is broken now, and each fault's card. */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { FaultForm } from "../faultform.js";
import { Icon } from "../icons.js";
import { withMachines } from "../lanes.js";
import { Modal } from "../modal.js";
import { later } from "./later.js";

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

/** @param {Props} props */
export function FaultsDialog({ app }) {
  const { store, strings, breaking } = app;
  const { t } = strings;
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const open = store.dialog.value === "faults";
  const loaded = breaking.faults.value !== null;
  useEffect(() => {
    if (open && loaded) /** @type {HTMLInputElement | null | undefined} */ (ref.current?.querySelector("input:checked"))?.focus();
  }, [open, loaded]);
  const close = () => {
    if (store.dialog.peek() === "faults") store.dialog.value = null;
  };
  const onSubmit = async (/** @type {Record<string, any>} */ record) => {
    const message = await breaking.inject(record);
    if (message) return message;
    close();
    app.actions.toLive();
    app.toast(t("fault.injected", { name: t(`fault.${record.name}.name`) }));
    return null;
  };
  return h(
    Modal,
    { open, onClose: close, class: "faults pane", labelledby: "faults-title", place: ref },
    open &&
      h(
        "div",
        { class: "faults-inner" },
        h(
          "header",
          null,
          h("div", null, h("h2", { id: "faults-title" }, t("fault.title")), h("p", null, t("fault.lead"))),
          h(
            "button",
            { type: "button", class: "ghost", onClick: close, "aria-label": t("fault.close"), title: t("fault.close") },
            h(Icon, { name: "close" }),
          ),
        ),
        breaking.faults.value
          ? h(FaultForm, {
              faults: breaking.faults.value,
              cast: withMachines(store.cast.value, store.picture.value.plan.lanes.newcomers),
              strings,
              onSubmit,
              about: (/** @type {string} */ name) => h(FoldedCard, { key: name, app, name }),
            })
          : h(
              "p",
              { class: "empty", role: "status" },
              breaking.failure.value ? t("fault.failed", { message: breaking.failure.value }) : t("fault.loading"),
            ),
      ),
  );
}

const Card = later(() => import("../incidents/card.js"), "Card");

/** @param {Props & {name: string}} props */
function FoldedCard({ app, name }) {
  const [open, setOpen] = useState(false);
  const onToggle = (/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.currentTarget).open);
  return h(
    "details",
    { class: "fault-about", onToggle },
    h("summary", null, app.strings.t("fault.card")),
    open && h(Card, { name, words: app.urls.words, strings: app.strings }),
  );
}

/** The card of what is broken now, beside the diagram. @param {Props & {id: string, name: string}} props */
function CardPopover({ app, id, name }) {
  const { t } = app.strings;
  const [open, setOpen] = useState(false);
  const label = t("fault.cardOf", { name: t(`fault.${name}.name`) });
  return [
    h(
      "button",
      { type: "button", class: "fault-ask", popovertarget: `card-${id}`, title: t("fault.card"), "aria-label": label },
      h(Icon, { name: "help", size: 14 }),
    ),
    h(
      "div",
      {
        id: `card-${id}`,
        class: "popover fault-popover pane",
        popover: "auto",
        role: "dialog",
        "aria-label": label,
        onToggle: (/** @type {any} */ event) => setOpen(event.newState === "open"),
      },
      open && [h("h3", null, t(`fault.${name}.name`)), h(Card, { name, words: app.urls.words, strings: app.strings })],
    ),
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
              fault.name && h(CardPopover, { app, id: fault.id, name: fault.name }),
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
