/** The dialog in which something is broken: the form, and each fault's card in it. */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../dialog.js";
import { FaultForm } from "../faultform.js";
import { withMachines } from "../lanes.js";
import { later } from "./later.js";

/** @typedef {{app: import("../app.js").App}} Props */

const Card = later(() => import("../incidents/card.js"), "Card");

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
    Dialog,
    { open, onClose: close, title: t("fault.title"), closing: t("fault.close"), lead: t("fault.lead"), class: "faults", place: ref },
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
  );
}

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
