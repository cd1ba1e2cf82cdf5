/**
 * The state at the cursor, beside the diagram: what stood in the cluster after the last message that is shown, of what the
 * wire has told. It moves with every step, backwards too.
 *
 * Stepping never waits for it. What is asked follows the cursor after the drawing (`questions.js`); what is shown is always
 * an answer with its entry's number, and where the cursor has gone on meanwhile, the pane says so.
 */
import { h } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { effect } from "@preact/signals-core";
import { clock } from "../format.js";
import { Icon } from "../icons.js";
import { Tabs } from "../panels/tabs.js";
import { Beliefs } from "./beliefs.js";
import { Board } from "./board.js";
import { between, counted } from "./changes.js";
import { FACTS, WRITTEN } from "./facts.js";
import { Identities } from "./identities.js";
import { ObjectHead, ObjectHistory, leave } from "./object.js";
import { Objects } from "./objects.js";
import { createQuestions, queryOf } from "./questions.js";
import { Rules } from "./rules.js";
import { Topology } from "./topology.js";

/** @typedef {import("../app.js").App} App */
/** @typedef {import("./changes.js").Change} Change */
/** @typedef {{app: App, data: any, marks: import("./table.js").Marks, changes: Change[]}} ViewProps */

/** @type {Record<import("../statepane.js").View, (props: ViewProps) => any>} */
const DRAWN = { objects: Objects, board: Board, topology: Topology, beliefs: Beliefs, identities: Identities, rules: Rules };
/** How far a recording tells of the state, by what it was read from. @type {Record<string, string>} */
const RECORDED = { capture: "state.recorded_capture", audit: "state.recorded_audit" };
const CHANGES = 3;
/** After how long a reader is told that an answer is on its way: after a step, and at the live end, where one always is. */
const LATE_MS = 300;
const LATE_LIVE_MS = 2000;

/** @param {App["state"]} state */
function queryNow(state) {
  const object = state.object.value;
  if (object) return queryOf("object", { resource: object.resource, namespace: object.namespace, name: object.name });
  const host = state.host.value;
  return queryOf(state.view.value, state.view.value === "rules" && host ? { host } : {});
}

/** Is there somebody to ask, and is what they would be asked about here already? @param {App} app */
function canAsk({ store, imported }) {
  const answers = imported !== null || store.cluster.value.state === "running";
  return store.connection.value.state === "open" && answers && !store.loading.value;
}

/** @param {{app: App}} props */
export function StatePane({ app }) {
  const { state, store } = app;
  const { t } = app.strings;
  const questions = useMemo(() => createQuestions(app.urls.state), []);
  useEffect(() => {
    let frame = 0;
    const stop = effect(() => {
      const question = { query: queryNow(state), at: store.shown.value, live: store.cursor.value === null && !store.clock.value.paused };
      cancelAnimationFrame(frame);
      if (question.at > 0 && canAsk(app)) frame = requestAnimationFrame(() => questions.ask(question));
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      questions.stop();
    };
  }, []);
  const answer = questions.answer.value;
  const object = state.object.value;
  const view = state.view.value;
  const begins = isBeginning(store);
  const known = !begins && answer.query === queryNow(state) && answer.data !== null;
  const unknown = begins ? "state.beginning" : questions.problem.value ? "state.failed" : "state.loading";
  const facts = FACTS[object ? "object" : view];
  const changes = useMemo(() => (known && answer.before ? between(facts(answer.before.data), facts(answer.data)) : []), [known && answer]);
  const marks = useMemo(() => new Map(changes.map((change) => [change.key, change])), [changes]);
  const language = app.strings.language.value;
  const tabs = useMemo(
    () =>
      h(Tabs, {
        key: "tabs",
        label: t("state.tabs"),
        tabs: state.views.map((name) => ({ name, text: t(`state.tab.${name}`), title: t(`state.tab.${name}.title`) })),
        now: view,
        id: "state-tab",
        panel: "state-panel",
        onShow: state.show,
      }),
    [view, language],
  );
  const close = () => {
    state.close();
    const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".state-button")]);
    buttons.find((one) => one.checkVisibility())?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (object) leave(state);
    else close();
  };
  return [
    h(
      "header",
      { class: "state-head", key: "head", onKeyDown },
      h("h2", { class: "visually-hidden" }, t("state.title")),
      h(Standing, { app, questions, known, changes }),
      store.drawer.value &&
        h(
          "button",
          {
            type: "button",
            class: "ghost small to-other",
            onClick: () => {
              store.front.value = "drawer";
            },
          },
          t("state.toDrawer"),
          h(Icon, { name: "right", size: 14 }),
        ),
      h(
        "button",
        { type: "button", class: "ghost", onClick: close, "aria-label": t("state.close"), title: `${t("state.close")} (s)` },
        h(Icon, { name: "close" }),
      ),
    ),
    tabs,
    h(
      "div",
      {
        class: "state-body",
        key: "body",
        role: "tabpanel",
        id: "state-panel",
        "aria-labelledby": `state-tab-${view}`,
        tabIndex: 0,
        onKeyDown,
      },
      object && h(ObjectHead, { app, address: object }),
      app.imported && RECORDED[app.imported.kind] && h("p", { class: "fine" }, t(RECORDED[app.imported.kind])),
      known && answer.data.complete === false && h("p", { class: "state-none" }, t("state.incomplete", { seq: answer.data.first })),
      known
        ? h(Shown, { app, view: object ? "object" : view, data: answer.data, at: answer.at, marks, changes })
        : h("p", { class: "empty" }, t(unknown, { message: questions.problem.value })),
    ),
    !object && h(Changes, { app, changes, before: known && answer.before ? answer.before.at : null, key: "changes" }),
  ];
}

/** The view, drawn again when the answer or the marks are others. @param {{app: App, view: string, data: any, at: number, marks: any, changes: Change[]}} props */
function Shown({ app, view, data, at, marks, changes }) {
  if (view === "object") return h(ObjectHistory, { app, data, at });
  return h(DRAWN[/** @type {import("../statepane.js").View} */ (view)], { app, data, marks, changes, key: view });
}

/** Of which entry this is the state, and whether that is where the cursor stands. @param {{app: App, questions: ReturnType<typeof createQuestions>, known: boolean, changes: Change[]}} props */
function Standing({ app, questions, known, changes }) {
  const { store } = app;
  const { t } = app.strings;
  const answer = questions.answer.value;
  const wanted = store.shown.value;
  const live = store.cursor.value === null && !store.clock.value.paused;
  const begins = isBeginning(store);
  const behind = !begins && (!known || answer.at !== wanted);
  const isLate = useLate(behind, live ? LATE_LIVE_MS : LATE_MS, answer);
  const entry = store.log.get(answer.at);
  const why = obstacle(app) ?? (behind && questions.problem.value ? t("state.failed", { message: questions.problem.value }) : null);
  const said = known && !live && !behind ? [t("state.at", { seq: answer.at }), ...sayChanges(changes, t)].join(": ") : "";
  return h(
    "p",
    { class: `state-standing${why ? " broken" : ""}`, "aria-busy": String(behind && !live) },
    h("span", { class: "state-at" }, known || begins ? t("state.at", { seq: known ? answer.at : 0 }) : t("state.button")),
    known && entry && h("span", { class: "fine" }, clock(entry.arrived ?? entry.at, 3)),
    why ? h("b", null, why) : behind && isLate && h("b", null, t("state.fetching", { seq: wanted })),
    h("span", { class: "visually-hidden", role: "status" }, why ?? said),
  );
}

/** Does the cursor stand before all there is? @param {App["store"]} store */
const isBeginning = (store) => store.shown.value === 0 && store.log.head.value > 0;

/** Why nobody can be asked now; null where somebody can. @param {App} app */
function obstacle(app) {
  const { store } = app;
  const { t } = app.strings;
  if (store.cluster.value.state === "ended" && !app.imported) return t("state.ended");
  if (store.connection.value.state !== "open") return t("state.lost");
  if (["starting", "suspended"].includes(store.cluster.value.state)) return t("state.returning");
  return store.loading.value ? t("state.arriving") : null;
}

/** Has something been so for so long, since something else was another? @param {boolean} so @param {number} ms @param {unknown} since */
function useLate(so, ms, since) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!so) return undefined;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [so, ms, since]);
  return isLate;
}

/** "3 pods changed". @param {Change[]} changes @param {App["strings"]["t"]} t */
const sayChanges = (changes, t) => counted(changes).map(([about, count]) => t("state.changed", { count, about }));

/** What the step has changed in this view, as a diff; its height stays, so that nothing moves while stepping. @param {{app: App, changes: Change[], before: number | null}} props */
function Changes({ app, changes, before }) {
  const { t } = app.strings;
  const text = (/** @type {Change} */ { fields }) =>
    fields
      .filter(({ label }) => label !== WRITTEN)
      .map(({ label, was, is }) => `${label} ${was || "–"} → ${is || "–"}`)
      .join(", ");
  const words = { "+": t("state.mark.new"), "−": t("state.mark.gone"), "~": t("state.mark.written") };
  return h(
    "footer",
    { class: "state-changes" },
    h("h3", null, before === null ? t("state.changes") : t("state.since", { seq: before })),
    changes.length === 0 && h("p", { class: "fine" }, t(before === null ? "state.step" : "state.unchanged")),
    changes.length > 0 &&
      h(
        "ul",
        null,
        changes
          .slice(0, changes.length > CHANGES ? CHANGES - 1 : CHANGES)
          .map((change) => h("li", { key: change.key }, `${change.sign} ${change.title} ${text(change) || words[change.sign]}`)),
        changes.length > CHANGES && h("li", null, t("state.rest", { count: changes.length - CHANGES + 1 })),
      ),
  );
}
