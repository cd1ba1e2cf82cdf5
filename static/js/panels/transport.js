/** When: run and pause, one message back or on, the pace, the cluster's clock, and the whole journal as a strip. */
import { Fragment, h } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { PACES } from "../actions.js";
import { standing } from "../clock.js";
import { clock as clockText, duration } from "../format.js";
import { Icon } from "../icons.js";
import { Timeline } from "../diagram/timeline.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function Transport({ app }) {
  const {
    store,
    actions,
    strings: { t },
  } = app;
  const paused = store.clock.value.paused;
  const live = store.atEnd.value;
  const ended = store.cluster.value.state === "ended";
  const loading = live && store.loading.value;
  return h(
    "section",
    { class: "transport pane", "aria-label": t("transport.label") },
    h(
      "div",
      { class: "buttons" },
      h(Button, { icon: "start", label: t("transport.start"), keys: "Home", onClick: actions.toStart }),
      h(Button, { icon: "back", label: t("transport.back"), keys: "←", onClick: actions.stepBack }),
      h(
        "button",
        {
          type: "button",
          class: "run",
          id: "run",
          disabled: ended || store.cluster.value.state === "suspended" || !store.may("drive"),
          onClick: actions.toggleRun,
          title: `${t(paused ? "transport.run" : "transport.pause")} (${t("keys.space")})`,
          "aria-label": t(paused ? "transport.run" : "transport.pause"),
        },
        h(Icon, { name: paused ? "play" : "pause", size: 20, class: paused ? "solid" : "" }),
      ),
      h(Button, {
        icon: "forward",
        label: t(live && paused ? "transport.step" : "transport.forward"),
        keys: "→",
        onClick: actions.stepForward,
      }),
      h(Button, { icon: "live", label: t("transport.live"), keys: "End", onClick: actions.toLive }),
    ),
    h(Clock, { app }),
    h(Strip, { app }),
    h(Standing, { app }),
    h(
      "button",
      {
        type: "button",
        class: `live-badge${live && !loading ? " on" : ""}`,
        "aria-pressed": String(live),
        onClick: actions.toLive,
        title: t("transport.live"),
      },
      h("span", { class: "live-dot", "aria-hidden": "true" }),
      t(
        loading
          ? "transport.loading"
          : live
            ? ended
              ? "health.ended"
              : paused
                ? "transport.paused"
                : "transport.atLive"
            : "transport.past",
      ),
    ),
    h(Pace, { app }),
  );
}

/** @param {{icon: string, label: string, keys: string, onClick: () => void}} props */
const Button = ({ icon, label, keys, onClick }) =>
  h("button", { type: "button", class: "ghost", onClick, title: `${label} (${keys})`, "aria-label": label }, h(Icon, { name: icon }));

/** The cluster's virtual time, going on by itself between what the server says. @param {Props} props */
function Clock({ app }) {
  const ref = useRef(/** @type {HTMLTimeElement | null} */ (null));
  const {
    store,
    strings: { t },
  } = app;
  const back = !store.atEnd.value;
  const state = store.clock.value;
  useEffect(() => {
    const write = () => {
      const node = ref.current;
      if (!node) return;
      const text = clockText(nowShown(store), 2);
      if (node.textContent !== text) node.textContent = text;
    };
    write();
    if (back || state.paused) return undefined;
    const timer = setInterval(write, 100);
    return () => clearInterval(timer);
  }, [back, state, store.shown.value]);
  return h(
    "p",
    { class: `clock${back ? " past" : ""}`, title: t("transport.clock") },
    h("time", { ref, role: "timer", "aria-label": t("transport.clock") }),
  );
}

/** Seconds to show: where the cursor stands, or what time it must be by now. @param {import("../store.js").Store} store */
export function nowShown(store) {
  const entry = store.log.get(store.shown.peek());
  if (!store.atEnd.peek()) return entry?.arrived ?? entry?.at ?? 0;
  return Math.max(store.clockNow(), entry?.arrived ?? 0);
}

/** How the clock keeps its pace, where there is anything to say. A screen reader hears of it once, not with each new number. @param {Props} props */
function Standing({ app }) {
  const {
    store,
    strings: { t, language },
  } = app;
  const clock = store.clock.value;
  const kind = store.cluster.value.state === "running" ? standing(clock) : null;
  const number = new Intl.NumberFormat(language.value, { maximumSignificantDigits: 2 });
  const seconds = kind === "behind" ? clock.behind : clock.slept + clock.overrun;
  const words =
    kind &&
    t(`pace.${kind}`, {
      reached: number.format(clock.reached ?? 0),
      pace: number.format(clock.pace ?? 0),
      time: duration(Math.round(seconds), language.value),
    });
  const announced = useMemo(() => words, [kind, language.value]);
  return h(
    Fragment,
    null,
    h("p", { class: "visually-hidden", role: "status" }, announced),
    words && h("p", { class: `standing ${kind}`, "aria-hidden": "true", title: t(`pace.${kind}.why`) }, words),
  );
}

/** @param {Props} props */
function Strip({ app }) {
  const {
    store,
    actions,
    strings: { t },
  } = app;
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => new Timeline(/** @type {HTMLCanvasElement} */ (canvas.current), store).start(), []);
  const { plan } = store.picture.value;
  const at = plan.rowsAt(store.shown.value);
  const total = plan.rows.length;
  const row = plan.rows[at - 1];
  return h(
    "div",
    { class: "strip" },
    h("canvas", { ref: canvas, "aria-hidden": "true" }),
    h("input", {
      type: "range",
      min: 0,
      max: total,
      step: 1,
      value: at,
      "aria-label": t("transport.strip"),
      "aria-valuetext": row ? t("transport.position", { seq: row.seq, at, total, time: clockText(row.time, 2) }) : t("transport.nothing"),
      onInput: (/** @type {Event} */ event) => actions.toRow(Number(/** @type {HTMLInputElement} */ (event.currentTarget).value) - 1),
    }),
  );
}

/** @param {Props} props */
function Pace({ app }) {
  const {
    store,
    actions,
    strings: { t, language },
  } = app;
  const pace = store.clock.value.pace;
  const index =
    pace === null
      ? PACES.length - 1
      : Math.max(
          0,
          PACES.findIndex((p) => p >= pace),
        );
  const text = pace === null ? t("pace.leap") : `${new Intl.NumberFormat(language.value).format(pace)}×`;
  return h(
    "label",
    { class: "pace", title: `${t("pace.label")} (+ / −)` },
    h("span", { class: "pace-text" }, text),
    h("input", {
      type: "range",
      min: 0,
      max: PACES.length - 1,
      step: 1,
      value: index,
      disabled: !store.may("drive"),
      "aria-label": t("pace.label"),
      "aria-valuetext": text,
      onInput: (/** @type {Event} */ event) => actions.setPace(PACES[Number(/** @type {HTMLInputElement} */ (event.currentTarget).value)]),
    }),
  );
}
