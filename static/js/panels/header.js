/** The top pane: what this is, how the cluster is, how the diagram is looked at, and the page's own switches. */
import { h } from "preact";
import { useRef, useState } from "preact/hooks";
import { LAYERS } from "../actions.js";
import { Icon } from "../icons.js";
import { languages } from "../strings.js";
import { BreakButton } from "./faults.js";
import { Find } from "./find.js";
import { later } from "./later.js";
import { PopoverButton } from "./popover.js";
import { StateButton } from "./stateaside.js";

/** @typedef {{app: import("../app.js").App}} Props */

const Kubeconfig = later(() => import("./kubeconfig.js"), "Kubeconfig");
const Taking = later(() => import("./takingpanel.js"), "Taking");
const View = later(() => import("./view.js"), "View");

/** @param {Props} props */
export function Header({ app }) {
  return h(
    "header",
    { class: "bar pane" },
    h(
      app.recording ? "span" : "a",
      { class: "brand", ...(app.recording ? { role: "img" } : { href: "/" }), "aria-label": "Glassplane" },
      h(Mark, null),
      h("span", { class: "brand-name" }, "Glassplane"),
    ),
    h(Health, { app }),
    app.shared &&
      h(
        "p",
        { class: "reading", title: app.strings.t("shared.title") },
        h(Icon, { name: "link", size: 15 }),
        app.strings.t("shared.reading"),
      ),
    h("div", { class: "bar-space" }),
    h(Altitude, { app }),
    h(Heartbeats, { app }),
    h(Find, { app }),
    h("div", { class: "bar-space" }),
    h(BreakButton, { app }),
    !app.recording && h(StateButton, { app, place: "in-bar" }),
    app.store.may("gateway") && h(KubeconfigButton, { app }),
    app.store.may("take") || app.recording ? h(TakeAway, { app }) : app.store.may("share") && h(ShareButton, { app }),
    h(Switches, { app }),
  );
}

/** @param {Props} props */
const KubeconfigButton = ({ app }) =>
  h(PopoverButton, {
    app,
    id: "kubeconfig",
    of: Kubeconfig,
    label: app.strings.t("kubeconfig.title"),
    icon: "download",
    size: 16,
    text: "kubeconfig",
    class: "kubeconfig",
    look: "toggle",
  });

/** @param {Props} props */
function TakeAway({ app }) {
  // What was chosen is there when the card is opened again.
  const chosen = useState(/** @type {"all" | "connection" | "range"} */ ("all"));
  const written = useState(/** @type {[string, string]} */ (["", ""]));
  const label = app.strings.t("takeaway.title");
  return h(PopoverButton, { app, id: "takeaway", of: Taking, label, icon: "parcel", class: "takeaway", given: { chosen, written } });
}

/** The links to this run, where nothing can be taken along and they do not stand there. @param {Props} props */
function ShareButton({ app }) {
  const label = app.strings.t("share.title");
  return h(
    "button",
    { type: "button", class: "ghost", onClick: app.openShares, title: label, "aria-label": label },
    h(Icon, { name: "link" }),
  );
}

/** Two panes of glass and the message that crosses them. */
export const Mark = () =>
  h(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", width: "2.6rem", height: "2.6rem", "aria-hidden": "true" },
    h("path", { class: "mark-back", d: "M12 4.5l15 4v19l-15-4z" }),
    h("path", { class: "mark-front", d: "M5 6.5l13 3.5v18l-13-3.5z" }),
    h("path", { class: "mark-ray", d: "M2 19.5L29 13" }),
  );

/** @param {Props} props */
function Health({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const lost = store.connection.value.state !== "open";
  if (app.left.value) return null;
  const { state, nodes } = store.cluster.value;
  const name = lost && state === "running" ? "lost" : state;
  const asleep = app.shared && name === "suspended";
  return h(
    "p",
    { class: `health ${name}`, role: "status", title: t("health.title") },
    h("span", { class: "health-dot", "aria-hidden": "true" }),
    h(
      "span",
      null,
      t(
        app.imported
          ? "imported.health"
          : asleep
            ? "shared.asleep"
            : name === "running" && store.clock.value.paused
              ? "transport.paused"
              : `health.${name}`,
      ),
    ),
    !app.imported && h("span", { class: "health-more" }, t("health.hosts", { count: nodes + 1 })),
  );
}

/** @param {Props} props */
function Altitude({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const now = LAYERS.indexOf(store.altitude.value);
  const go = (/** @type {number} */ to) => {
    const index = Math.max(0, Math.min(LAYERS.length - 1, to));
    store.altitude.value = LAYERS[index];
    /** @type {HTMLElement | undefined} */ (ref.current?.querySelectorAll("button")[index])?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    go(now + by);
  };
  return h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": t("altitude.label"), ref, onKeyDown },
    LAYERS.map((layer, i) =>
      h(
        "button",
        {
          key: layer,
          type: "button",
          role: "radio",
          "aria-checked": String(i === now),
          tabIndex: i === now ? 0 : -1,
          title: `${t(`altitude.${layer}.title`)} (${i + 1})`,
          onClick: () => go(i),
        },
        t(`altitude.${layer}`),
      ),
    ),
  );
}

/** @param {Props} props */
function Heartbeats({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const folded = store.foldHeartbeats.value;
  return h(
    "button",
    {
      type: "button",
      class: "toggle",
      "aria-pressed": String(!folded),
      title: `${t(folded ? "heartbeats.show" : "heartbeats.fold")} (h)`,
      onClick: () => {
        store.foldHeartbeats.value = !folded;
      },
    },
    h(Icon, { name: "pulse", size: 16 }),
    h("span", { class: "wide" }, t("heartbeats.label")),
  );
}

const THEME_ICONS = { auto: "half", light: "sun", dark: "moon" };

/** @param {Props} props */
function Switches({ app }) {
  const {
    strings: { t, language },
    settings,
    store,
  } = app;
  const theme = settings.theme.value;
  const all = languages();
  const [code, name] = all[(all.findIndex(([one]) => one === language.value) + 1) % all.length];
  return h(
    "div",
    { class: "switches" },
    h(PopoverButton, { app, id: "view", of: View, label: t("view.open"), icon: "text", class: "view", card: "view-card" }),
    h("button", { type: "button", class: "ghost language", onClick: () => app.setLanguage(code), lang: code }, name),
    h(
      "button",
      { type: "button", class: "ghost", onClick: settings.nextTheme, title: t(`theme.${theme}`), "aria-label": t(`theme.${theme}`) },
      h(Icon, { name: THEME_ICONS[theme] }),
    ),
    h(
      "button",
      {
        type: "button",
        class: "ghost",
        onClick: () => {
          store.dialog.value = "help";
        },
        title: `${t("help.open")} (?)`,
        "aria-label": t("help.open"),
      },
      h(Icon, { name: "help" }),
    ),
  );
}
