/** The top pane: what this is, how the cluster is, how the diagram is looked at, and the page's own switches. */
import { h } from "preact";
import { useRef } from "preact/hooks";
import { LAYERS } from "../actions.js";
import { Icon } from "../icons.js";
import { languages } from "../strings.js";
import { BreakButton } from "./faults.js";
import { Kubeconfig } from "./kubeconfig.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function Header({ app }) {
  return h(
    "header",
    { class: "bar pane" },
    h("a", { class: "brand", href: "/", "aria-label": "Glassplane" }, h(Mark, null), h("span", { class: "brand-name" }, "Glassplane")),
    h(Health, { app }),
    h("div", { class: "bar-space" }),
    h(Altitude, { app }),
    h(Heartbeats, { app }),
    h(Search, { app }),
    h("div", { class: "bar-space" }),
    h(BreakButton, { app }),
    app.store.may("gateway") && h(Kubeconfig, { app }),
    h(Switches, { app }),
  );
}

/** Two panes of glass and the message that crosses them. */
export const Mark = () =>
  h(
    "svg",
    { class: "mark", viewBox: "0 0 32 32", width: 26, height: 26, "aria-hidden": "true" },
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
  return h(
    "p",
    { class: `health ${name}`, role: "status", title: t("health.title") },
    h("span", { class: "health-dot", "aria-hidden": "true" }),
    h("span", null, t(name === "running" && store.clock.value.paused ? "transport.paused" : `health.${name}`)),
    h("span", { class: "health-more" }, t("health.hosts", { count: nodes + 1 })),
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

/** @param {Props} props */
function Search({ app }) {
  const {
    store,
    actions,
    strings: { t },
  } = app;
  const found = store.picture.value.plan.rows.length;
  const only = store.participants.value.size === 0 && store.text.value.trim() === "";
  return h(
    "div",
    { class: "search", role: "search" },
    h(Icon, { name: "search", size: 15 }),
    h("input", {
      id: "search",
      type: "search",
      placeholder: t("search.placeholder"),
      "aria-label": t("search.label"),
      value: store.text.value,
      autocomplete: "off",
      spellcheck: false,
      onInput: (/** @type {Event} */ event) => actions.filter(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      onKeyDown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape") return;
        actions.clearFilters();
        document.getElementById("diagram")?.focus();
      },
    }),
    store.filtered.value
      ? h(
          "button",
          { type: "button", class: "search-count", onClick: actions.clearFilters, title: t("search.clear") },
          only ? t("search.lanes", { count: store.picture.value.plan.lanes.focus.size }) : t("search.found", { count: found }),
          h(Icon, { name: "close", size: 12 }),
        )
      : h("kbd", { "aria-hidden": "true" }, "/"),
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
