/** When: run and pause, one message back or on, the pace, the cluster's clock, and the whole journal as a strip. */
import { signal } from "@preact/signals-core";
import { Fragment, h } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { PACES } from "../actions.js";
import { standing } from "../clock.js";
import { clock as clockText, duration } from "../format.js";
import { Icon } from "../icons.js";
import { ZOOM_MAX, movedTo } from "../scale.js";
import { keep, recall } from "../settings.js";
import { Timeline, stripOf } from "../diagram/timeline.js";
import { BranchesButton } from "./branches.js";
import { later } from "./later.js";
import { PopoverButton } from "./popover.js";
import { StateButton } from "./stateaside.js";

/** @typedef {{app: import("../app.js").App}} Props */

const Bookmarks = later(() => import("./bookmarks.js"), "Bookmarks");
const Breakpoints = later(() => import("./breakpoints.js"), "Breakpoints");
const Steps = later(() => import("./steps.js"), "Steps");

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
      !app.recording &&
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
        label: t(live && paused && !app.recording ? "transport.step" : "transport.forward"),
        keys: "→",
        onClick: () => actions.stepForward(),
      }),
      h(Button, { icon: "live", label: t(app.recording ? "recording.to_end" : "transport.live"), keys: "End", onClick: actions.toLive }),
      h(Places, { app }),
      !app.shared && !app.recording && !app.imported && h(BranchesButton, { app }),
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
        title: t(app.recording ? "recording.to_end" : "transport.live"),
      },
      h("span", { class: "live-dot", "aria-hidden": "true" }),
      t(
        loading
          ? "transport.loading"
          : live
            ? app.recording
              ? "recording.end"
              : ended
                ? "health.ended"
                : paused
                  ? "transport.paused"
                  : "transport.atLive"
            : "transport.past",
      ),
    ),
    !app.recording && h(Pace, { app }),
    !app.recording && h(StateButton, { app, place: "beside-time" }),
    h(Leave, { app }),
  );
}

/** @param {{icon: string, label: string, keys: string, onClick: () => void}} props */
const Button = ({ icon, label, keys, onClick }) =>
  h(
    "button",
    { type: "button", class: "ghost", "data-does": icon, onClick, title: `${label} (${keys})`, "aria-label": label },
    h(Icon, { name: icon }),
  );

/** Where to go from here: by steps, to what time is to stop at, to what was marked. @param {Props} props */
function Places({ app }) {
  const { t } = app.strings;
  const on = app.breakpoints.points.value.filter((point) => point.on).length;
  const marks = app.bookmarks.list.value.length;
  const each = { app, class: "breakpoints", card: "breaks" };
  return [
    h(PopoverButton, { ...each, key: "s", id: "steps", of: Steps, label: t("step.title"), icon: "steps" }),
    h(PopoverButton, {
      ...each,
      key: "b",
      id: "breakpoints",
      of: Breakpoints,
      label: t("breaks.title"),
      spoken: on ? t("breaks.armed", { count: on }) : undefined,
      icon: "flag",
      count: on,
      look: `ghost${on ? " armed" : ""}`,
    }),
    h(PopoverButton, {
      ...each,
      key: "m",
      id: "bookmarks",
      of: Bookmarks,
      label: t("bookmarks.title"),
      spoken: marks ? t("bookmarks.set", { count: marks }) : undefined,
      icon: "bookmark",
      count: marks,
    }),
  ];
}

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
  const view = useMemo(() => ({ unfolded: signal(false), zoom: signal(1), byTime: signal(recall("timeline") === "time") }), []);
  useEffect(() => new Timeline(/** @type {HTMLCanvasElement} */ (canvas.current), store, view).start(), []);
  const { plan } = store.picture.value;
  const { scale, behind, from, to } = stripOf(plan, store.shown.value, view);
  const total = plan.rows.length;
  const row = plan.rows[behind - 1];
  const zoom = view.zoom.value;
  /** @param {number} next */
  const setZoom = (next) => {
    view.zoom.value = Math.max(1, Math.min(ZOOM_MAX, next));
  };
  return h(
    Fragment,
    null,
    plan.boot > 0 &&
      h(
        "button",
        {
          type: "button",
          class: "ghost small strip-boot",
          "aria-pressed": String(view.unfolded.value),
          title: t(view.unfolded.value ? "timeline.fold" : "timeline.unfold", { count: plan.boot }),
          onClick: () => {
            view.unfolded.value = !view.unfolded.value;
          },
        },
        t("timeline.boot"),
      ),
    h(
      "div",
      {
        class: "strip",
        onWheel: (/** @type {WheelEvent} */ event) => {
          event.preventDefault();
          setZoom(event.deltaY < 0 ? zoom * 2 : zoom / 2);
        },
      },
      h("canvas", { ref: canvas, "aria-hidden": "true" }),
      h("input", {
        type: "range",
        min: from,
        max: to,
        step: 1,
        value: Math.round(scale.at(behind)),
        "aria-label": t("transport.strip"),
        "aria-valuetext": row
          ? t("transport.position", { seq: row.seq, at: behind, total, time: clockText(row.time, 2) })
          : t("transport.nothing"),
        onInput: (/** @type {Event} */ event) =>
          actions.toRow(movedTo(scale, behind, Number(/** @type {HTMLInputElement} */ (event.currentTarget).value), total) - 1),
      }),
    ),
    h(
      "button",
      {
        type: "button",
        class: "ghost small strip-time",
        "aria-pressed": String(view.byTime.value),
        "aria-label": t("timeline.time"),
        title: t(view.byTime.value ? "timeline.rows" : "timeline.time"),
        onClick: () => {
          view.byTime.value = !view.byTime.value;
          keep("timeline", view.byTime.value ? "time" : "rows");
        },
      },
      h(Icon, { name: "clock", size: 15 }),
    ),
    h(
      "div",
      { class: "strip-zoom", role: "group", "aria-label": t("timeline.zoom") },
      h(ZoomButton, { icon: "minus", label: t("timeline.out"), disabled: zoom <= 1, onClick: () => setZoom(zoom / 2) }),
      h(ZoomButton, { icon: "plus", label: t("timeline.in"), disabled: zoom >= ZOOM_MAX, onClick: () => setZoom(zoom * 2) }),
    ),
  );
}

/** @param {{icon: string, label: string, disabled: boolean, onClick: () => void}} props */
const ZoomButton = ({ icon, label, disabled, onClick }) =>
  h(
    "button",
    { type: "button", class: "ghost small", "aria-label": label, title: label, disabled, onClick },
    h(Icon, { name: icon, size: 14 }),
  );

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

/** Out of the presentation. @param {Props} props */
export function Leave({ app }) {
  const { t } = app.strings;
  if (!app.settings.presenting.value) return null;
  return h(
    "button",
    { type: "button", class: "ghost leave", onClick: app.present, title: `${t("view.leave")} (p)`, "aria-label": t("view.leave") },
    h(Icon, { name: "close" }),
  );
}
