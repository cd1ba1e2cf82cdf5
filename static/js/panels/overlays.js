/** What lies over the diagram: the coach for newcomers, the banner of a lost connection, help, short notices. */
import { h } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ICONS, Icon } from "../icons.js";
import { Modal } from "../modal.js";
import { LEGEND, SHAPES } from "../shapes.js";
import { FIRST_COMMAND } from "./terminal.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** The first ten seconds: one button, then three things to try; each is ticked off when done. @param {Props} props */
export function Coach({ app }) {
  const {
    store,
    strings: { t },
    coach,
  } = app;
  if (coach.closed.value || store.cluster.value.state === "ended") return null;
  const starting = store.cluster.value.state === "starting" && store.log.head.value === 0;
  const done = coach.done.value;
  const steps = /** @type {const} */ (["run", "pause", "open", "why"]);
  const next = steps.find((step) => !done.has(step));
  return h(
    "section",
    { class: `coach pane${done.size ? " small" : ""}`, "aria-label": t("coach.label") },
    h(
      "button",
      { type: "button", class: "ghost close", onClick: coach.close, title: t("coach.close"), "aria-label": t("coach.close") },
      h(Icon, { name: "close", size: 15 }),
    ),
    !done.has("run") &&
      h(
        "div",
        { class: "coach-lead" },
        h("h2", null, t("coach.title")),
        h("p", null, starting ? t("coach.starting") : t("coach.text", { count: store.cluster.value.nodes + 1 })),
        h(
          "button",
          {
            type: "button",
            class: "button primary large",
            id: "first-command",
            disabled: starting,
            onClick: () => app.typeCommand(FIRST_COMMAND),
          },
          h(Icon, { name: "prompt", size: 16 }),
          h("code", null, FIRST_COMMAND),
        ),
      ),
    h(
      "ol",
      { class: "coach-steps" },
      steps.map((step) =>
        h(
          "li",
          { key: step, class: `${done.has(step) ? "done" : ""}${step === next ? " next" : ""}` },
          h("span", { class: "coach-tick", "aria-hidden": "true" }, done.has(step) ? h(Icon, { name: "check", size: 13 }) : null),
          h("span", null, t(`coach.${step}`), done.has(step) && h("span", { class: "visually-hidden" }, t("coach.done"))),
        ),
      ),
    ),
  );
}

/** @param {Props} props */
export function Banner({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const { state, retryAt } = store.connection.value;
  const [, tick] = useState(0);
  const lost = state === "lost" || (state === "connecting" && store.log.head.value > 0);
  useEffect(() => {
    if (!lost) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, [lost]);
  if (app.left.value) return null;
  const seconds = retryAt ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
  const ended = store.cluster.value.state === "ended" || state === "gone";
  const returning =
    !ended && (store.cluster.value.state === "suspended" || (store.cluster.value.state === "starting" && store.log.head.value > 0));
  return h(
    "div",
    { class: "banners" },
    h(
      "div",
      { role: "alert", class: ended ? "banner ended pane" : "" },
      ended && [
        h("p", { key: "p" }, t(state === "gone" ? "banner.gone" : "banner.ended"), " ", app.endMessage.value),
        h("button", { key: "b", type: "button", class: "button primary", onClick: app.newCluster }, t("banner.new")),
      ],
    ),
    h(
      "div",
      { role: "alert", class: app.mishap.value && !ended ? "banner mishap pane" : "" },
      app.mishap.value &&
        !ended && [
          h("p", { key: "p" }, app.mishap.value),
          h(
            "button",
            {
              key: "b",
              type: "button",
              class: "button",
              onClick: () => {
                app.mishap.value = "";
              },
            },
            t("banner.read"),
          ),
        ],
    ),
    h(
      "div",
      { role: "status", class: returning ? "banner returning pane" : "" },
      returning && h("p", null, h("span", { class: "spin", "aria-hidden": "true" }), t("banner.returning")),
    ),
    h(
      "div",
      { role: "status", class: lost && !ended ? "banner lost pane" : "" },
      lost &&
        !ended && [
          h("p", { key: "p" }, h(Icon, { name: "plug", size: 16 }), t("banner.lost")),
          h(
            "span",
            { key: "s", class: "fine", "aria-hidden": "true" },
            seconds ? t("banner.retry", { count: seconds }) : t("banner.trying"),
          ),
          h("button", { key: "b", type: "button", class: "button", onClick: app.retryNow }, t("banner.now")),
        ],
    ),
  );
}

/** @param {Props} props */
export const Toasts = ({ app }) =>
  h(
    "div",
    { class: "toasts", role: "status" },
    app.store.toasts.value.map(({ id, text }) => h("p", { key: id, class: "toast pane" }, text)),
  );

/** The sentence of what is pointed at or selected; at the live end only while that is in view. Who steps from elsewhere than the diagram hears it. @param {Props} props */
export function Sentence({ app }) {
  const {
    store,
    strings: { t, say },
  } = app;
  const selected = store.log.get(store.selected.value);
  const passed = store.cursor.value === null && store.follow.value && !store.inView.value && !store.drawer.value;
  const entry = store.log.get(store.hovered.value) ?? (passed ? null : selected);
  const heard = useMemo(
    () =>
      selected && document.activeElement?.id !== "diagram" ? `${store.drawer.value ? `${t("drawer.label")}: ` : ""}${say(selected)}` : "",
    [selected, store.drawer.value],
  );
  const newer = store.cursor.value === null && !store.follow.value;
  return h(
    "div",
    { class: "sentence" },
    h("p", { class: "visually-hidden", role: "status" }, heard),
    h(
      "p",
      null,
      entry ? [h("span", { key: "n", class: "seq" }, `#${entry.seq}`), " ", say(entry)] : h("span", { class: "fine" }, t("sentence.hint")),
    ),
    newer &&
      h(
        "button",
        { type: "button", class: "button to-live", onClick: app.actions.toLive },
        h(Icon, { name: "down", size: 14 }),
        t("transport.live"),
      ),
  );
}

/** @param {Props} props */
export function Help({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const open = store.dialog.value === "help";
  const close = () => {
    if (store.dialog.peek() === "help") store.dialog.value = null;
  };
  return h(
    Modal,
    { open, onClose: close, class: "help pane", labelledby: "help-title" },
    open &&
      h(
        "div",
        { class: "help-inner" },
        h(
          "header",
          null,
          h("h2", { id: "help-title" }, t("help.title")),
          h(
            "button",
            { type: "button", class: "ghost", onClick: close, "aria-label": t("help.close"), title: t("help.close") },
            h(Icon, { name: "close" }),
          ),
        ),
        h(
          "div",
          { class: "help-columns" },
          h(
            "section",
            null,
            h("h3", null, t("help.keys")),
            h(
              "dl",
              { class: "keys" },
              app.keys.list.map(({ keys, name }) => [
                h(
                  "dt",
                  { key: `${name}t` },
                  keys.map((key) => h("kbd", { key }, key === " " ? t("keys.space") : key)),
                ),
                h("dd", { key: name }, t(`keys.${name}`)),
              ]),
            ),
            h(
              "label",
              { class: "check" },
              h("input", {
                type: "checkbox",
                checked: store.shortcuts.value,
                onChange: (/** @type {Event} */ event) => app.keys.enable(/** @type {HTMLInputElement} */ (event.currentTarget).checked),
              }),
              t("help.shortcuts"),
            ),
          ),
          h(
            "section",
            null,
            h("h3", null, t("help.legend")),
            h(
              "ul",
              { class: "legend" },
              LEGEND.map((family) =>
                h(
                  "li",
                  { key: family },
                  h(Sample, { family }),
                  h("span", null, h("b", null, t(`family.${family}`)), " ", t(`legend.${family}`)),
                ),
              ),
            ),
          ),
        ),
      ),
  );
}

/** @param {{family: import("../shapes.js").Family}} props */
function Sample({ family }) {
  const shape = SHAPES[family];
  const note = ["note", "command", "process", "fault"].includes(family);
  return h(
    "svg",
    { class: `sample row ${family}`, width: 64, height: 22, viewBox: "0 0 64 22", "aria-hidden": "true" },
    note
      ? [h("rect", { key: "c", class: "chip", x: 12, y: 2, width: 40, height: 18, rx: 5 })]
      : [
          h("path", { key: "l", class: "line", d: "M6 9L54 13" }),
          shape.line === "double" && h("path", { key: "k", class: "core", d: "M6 9L54 13" }),
          shape.tail === "ring" && h("path", { key: "t", class: "tail", d: "M2 9a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z" }),
          shape.tail === "diamond" && h("path", { key: "t", class: "tail", d: "M1 9l4 -3.5l4 3.5l-4 3.5z" }),
          h("path", {
            key: "h",
            class: "head",
            d: {
              filled: "M60 13.5L51 8.5L50.5 16.5z",
              open: "M52 8L60 13.5L51 17",
              half: "M52 8L60 13.5",
              cross: "M52 8L60 17M60 8L52 17",
            }[shape.head],
          }),
        ],
    shape.icon &&
      h("path", {
        key: "i",
        class: "glyph",
        d: ICONS[shape.icon],
        transform: note ? "translate(27 6) scale(.42)" : "translate(24 0) scale(.4)",
      }),
  );
}
