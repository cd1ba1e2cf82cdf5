/** One entry opened: what happened, why, and every layer of it down to the bytes. */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { partnerOf } from "../causes.js";
import { Icon } from "../icons.js";
import { familyOf } from "../shapes.js";
import { Body } from "./body.js";
import { Bytes } from "./bytes.js";
import { Mark, Note } from "./bookmarks.js";
import { Copy } from "./copy.js";
import { Follow } from "./follow.js";
import { Headers } from "./headers.js";
import { Records } from "./records.js";
import { Tabs } from "./tabs.js";
import { What } from "./what.js";
import { Why } from "./why.js";

/** @typedef {import("../store.js").Tab} Tab */
/** @typedef {{app: import("../app.js").App, entry: import("../log.js").Entry}} TabProps */

/** @type {Record<Tab, (props: any) => any>} */
const PANELS = { what: What, why: Why, headers: Headers, body: Body, records: Records, bytes: Bytes };
export const TABS = /** @type {Tab[]} */ (Object.keys(PANELS));
const NEEDS_WIRE = new Set(["headers", "body", "records", "bytes"]);

/** @param {{app: import("../app.js").App}} props */
export function Drawer({ app }) {
  const {
    store,
    strings: { t, say },
  } = app;
  const entry = store.log.get(store.selected.value);
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    for (const one of [ref.current, ref.current?.querySelector(".drawer-body")]) one?.scrollTo(0, 0);
  }, [entry?.seq, store.tab.value]);
  if (!store.drawer.value || !entry) return null;
  return h(
    "aside",
    {
      class: "drawer pane",
      "aria-label": t("drawer.label"),
      ref,
      onKeyDown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        app.actions.close();
        document.getElementById("diagram")?.focus();
      },
    },
    h(
      "header",
      { class: `drawer-head ${familyOf(entry)}` },
      h(
        "p",
        { class: "route" },
        h("span", { class: "badge" }, t(`family.${familyOf(entry)}`)),
        h("span", { class: "seq" }, `#${entry.seq}`),
        h(
          "span",
          { class: "route-names" },
          app.strings.name(entry.from),
          entry.to && [
            h(Icon, { name: "right", size: 13 }),
            h("span", { class: "visually-hidden" }, t("drawer.to")),
            app.strings.name(entry.to),
          ],
        ),
      ),
      h(
        "div",
        { class: "drawer-tools" },
        app.state.open.value &&
          h(
            "button",
            {
              type: "button",
              class: "ghost small to-other",
              onClick: () => {
                store.front.value = "state";
              },
            },
            h(Icon, { name: "left", size: 14 }),
            t("state.toState"),
          ),
        h(PartnerLink, { app, entry }),
        h(Mark, { app, entry }),
        h(Copy, {
          app,
          icon: "link",
          label: t("drawer.link"),
          text: `${location.origin}/clusters/${store.cluster.value.id}/#e${entry.seq}`,
        }),
        h(
          "button",
          {
            type: "button",
            class: "ghost",
            onClick: app.actions.close,
            title: `${t("drawer.close")} (Esc)`,
            "aria-label": t("drawer.close"),
          },
          h(Icon, { name: "close" }),
        ),
      ),
      h("h2", { id: "drawer-title" }, say(entry)),
      h(Note, { app, entry }),
      h(Follow, { app, entry }),
    ),
    h(Tabs, {
      label: t("drawer.tabs"),
      tabs: TABS.map((name) => ({ name, text: t(`tab.${name}`), disabled: entry.to === null && NEEDS_WIRE.has(name) })),
      now: store.tab.value,
      id: "tab",
      panel: "drawer-panel",
      onShow: (/** @type {Tab} */ tab) => {
        store.tab.value = tab;
      },
    }),
    h(
      "div",
      { class: "drawer-body", role: "tabpanel", id: "drawer-panel", "aria-labelledby": `tab-${store.tab.value}`, tabIndex: 0 },
      h(PANELS[store.tab.value], { app, entry, key: `${store.tab.value}${entry.seq}` }),
    ),
  );
}

/** @param {TabProps} props */
function PartnerLink({ app, entry }) {
  const partner = partnerOf(app.store.log.entries, entry.seq);
  if (!partner || partner > app.store.shown.value) return null;
  const label = app.strings.t(entry.replyTo ? "drawer.request" : "drawer.answer");
  return h(
    "button",
    { type: "button", class: "ghost small", onClick: () => app.trail.follow(partner), title: label },
    h(Icon, { name: entry.replyTo ? "up" : "down", size: 14 }),
    h("span", null, label),
  );
}
