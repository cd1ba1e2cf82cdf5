/** What lies over the diagram: the coach for newcomers, the banner of a lost connection, where time was stopped, short notices. */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { duration } from "../format.js";
import { Icon } from "../icons.js";
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
  const small = coach.begun.value || done.size > 0;
  const steps = /** @type {const} */ (["run", "pause", "open", "why"]);
  const next = steps.find((step) => !done.has(step));
  return h(
    "section",
    { class: `coach pane${small ? " small" : ""}`, "aria-label": t("coach.label") },
    h(
      "button",
      { type: "button", class: "ghost close", onClick: coach.close, title: t("coach.close"), "aria-label": t("coach.close") },
      h(Icon, { name: "close", size: 15 }),
    ),
    !coach.begun.value &&
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
        h(
          "p",
          { key: "p" },
          t(state === "gone" ? (app.shared ? "shared.gone" : "banner.gone") : app.imported ? "imported.title" : "banner.ended"),
          " ",
          app.imported && state !== "gone" ? app.imported.problems && t("imported.problems", app.imported) : app.endMessage.value,
        ),
        !app.framed &&
          !app.imported &&
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
      returning &&
        (app.shared && store.cluster.value.state === "suspended"
          ? h("p", null, t("shared.sleeps"))
          : h("p", null, h("span", { class: "spin", "aria-hidden": "true" }), t("banner.returning"))),
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

/** Where time was stopped, as long as the reader stands there, and how far the cluster itself has gone on. @param {Props} props */
export function Stopped({ app }) {
  const {
    store,
    breakpoints,
    strings: { t, language },
  } = app;
  const stopped = breakpoints.stopped.value;
  const here = stopped && store.cursor.value === stopped.seq;
  const entry = here ? store.log.get(stopped.seq) : null;
  const ahead = here ? store.log.head.value - stopped.seq : 0;
  const last = store.log.get(store.log.head.value);
  const seconds = entry && last ? (last.arrived ?? last.at) - (entry.arrived ?? entry.at) : 0;
  return h(
    "div",
    { role: "status", class: here ? "filter-said" : "" },
    here &&
      h(
        "p",
        null,
        stopped.text
          ? t("breaks.stopped", { seq: stopped.seq, point: stopped.text })
          : t(stopped.text === null ? "step.stopped" : "breaks.first", { seq: stopped.seq }),
        ahead > 0 && ` ${t("breaks.ahead", { count: ahead, time: duration(seconds, language.value) })}`,
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

/** The sentence of what is pointed at or selected; at the live end only while that is in view. The same, for who hears it (spoken.js). @param {Props} props */
export function Sentence({ app }) {
  const {
    store,
    strings: { t, say },
  } = app;
  const selected = store.log.get(store.selected.value);
  const passed = store.cursor.value === null && store.follow.value && !store.inView.value && !store.drawer.value;
  const entry = store.log.get(store.hovered.value) ?? (passed ? null : selected);
  const seeking = app.actions.seeking.value;
  const newer = store.cursor.value === null && !store.follow.value;
  return h(
    "div",
    { class: "sentence" },
    h("p", { class: "visually-hidden", role: "status" }, app.spoken.value),
    h(
      "p",
      null,
      entry && !seeking
        ? [h("span", { key: "n", class: "seq" }, `#${entry.seq}`), " ", say(entry)]
        : h("span", { class: "fine" }, t(seeking ? "sentence.seeking" : "sentence.hint")),
    ),
    newer &&
      h(
        "button",
        { type: "button", class: "button to-live", onClick: app.actions.toLive },
        h(Icon, { name: "down", size: 14 }),
        t(app.recording ? "recording.to_end" : "transport.live"),
      ),
  );
}
