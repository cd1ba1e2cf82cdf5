/** The page's start: read where things are, load the words, draw the panels, open the socket. */
import { h, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "@preact/signals";
import { createApp } from "./app.js";
import { Diagram } from "./diagram/diagram.js";
import { Drawer } from "./panels/drawer.js";
import { FaultChips, FaultsDialog } from "./panels/faults.js";
import { Header } from "./panels/header.js";
import { LaneHeads } from "./panels/lanes.js";
import { LessonPane } from "./panels/lesson.js";
import { MythDialog } from "./panels/myth.js";
import { Banner, Coach, Help, Sentence, Toasts } from "./panels/overlays.js";
import { Splitter } from "./panels/splitter.js";
import { TermCard } from "./panels/term.js";
import { Terminal } from "./panels/terminal.js";
import { Transport } from "./panels/transport.js";
import { createStrings, loadWords, pageLanguage } from "./strings.js";

/** @typedef {{app: import("./app.js").App}} Props */

/** @param {Props} props */
function Stage({ app }) {
  const { store, actions, strings } = app;
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [size, setSize] = useState({ laneWidth: 100, width: 0 });
  useEffect(() => {
    void new Diagram({
      scroller: /** @type {HTMLElement} */ (scroller.current),
      body: /** @type {HTMLElement} */ (body.current),
      store,
      actions,
      strings,
      onWidth: (laneWidth, width) => setSize({ laneWidth, width }),
    });
  }, []);
  const nothing = store.picture.value.plan.rowsAt(store.shown.value) === 0;
  return h(
    "section",
    { class: `stage pane${store.why.value ? " asking" : ""}`, "aria-label": strings.t("diagram.label") },
    h(
      "div",
      { class: "scroller", ref: scroller },
      h(
        "div",
        { class: "heads" },
        h("div", { class: "corner", "aria-hidden": "true" }, strings.t("diagram.time")),
        h(LaneHeads, { app, ...size }),
      ),
      h(Still, { hold: body, label: strings.t("diagram.rows") }),
    ),
    nothing &&
      store.filtered.value &&
      h(
        "p",
        { class: "nothing" },
        strings.t("diagram.nothing"),
        " ",
        h("button", { type: "button", class: "button", onClick: actions.clearFilters }, strings.t("search.clear")),
      ),
    !app.lesson && !app.docked.value && h(Coach, { app }),
    h(Sentence, { app }),
  );
}

/** The diagram's own ground: panels never touch what is inside. @param {{hold: {current: HTMLDivElement | null}, label: string}} props */
function Still({ hold, label }) {
  return h("div", { class: "rows-body", id: "diagram", tabIndex: 0, ref: hold, "aria-label": label });
}

/** `heading`: neither a lesson nor a room brings one. @param {Props & {heading: boolean}} props */
function Page({ app, heading }) {
  const beside = app.lesson && !app.lessonFolded.value;
  const docked = app.docked.value;
  return h(
    "div",
    { class: `page${app.lesson ? " with-lesson" : ""}${beside || docked ? " halved" : ""}` },
    heading && h("h1", { class: "visually-hidden" }, app.strings.t("page.heading")),
    h(Header, { app }),
    h("div", { class: "notices" }, h(Banner, { app }), h(FaultChips, { app })),
    h(LessonPane, { app }),
    beside && h(Splitter, { name: "lesson", axis: "x", app, from: "start" }),
    h(
      "div",
      { class: "middle" },
      h(Stage, { app }),
      app.store.drawer.value && h(Splitter, { name: "drawer", axis: "x", app }),
      h("div", { class: "side" }, docked?.(), h(Drawer, { app })),
    ),
    h(Transport, { app }),
    h(Splitter, { name: "terminal", axis: "y", app }),
    h(Terminal, { app }),
    h(Toasts, { app }),
    h(Help, { app }),
    h(FaultsDialog, { app }),
    h(MythDialog, { app }),
    app.lesson && h(TermCard, { app }),
  );
}

const place = /** @type {HTMLElement} */ (document.getElementById("playground"));
const { cluster = "", socket = "", entries = "", kubeconfig = "", newCluster = "", words = "" } = place.dataset;
const language = pageLanguage();
const urls = { socket: new URL(socket, location.href.replace(/^http/, "ws")).href, entries, kubeconfig, newCluster, words };
const strings = createStrings(await loadWords(words, language), language);
const lessonData = JSON.parse(document.getElementById("lesson-data")?.textContent || "null");
const app = createApp({ clusterId: cluster, urls, strings, lessonData, inRoom: Boolean(place.dataset.room) });
place.replaceChildren();
render(h(Page, { app, heading: !lessonData && !place.dataset.room }), place);
addEventListener("keydown", app.keys.hear);
addEventListener("online", app.retryNow);
// The cluster came back another way than it went: what is drawn here did not happen. The server knows what did.
app.store.log.forked.subscribe((forked) => {
  if (forked) location.reload();
});
// In a room: its bar, who leads, who follows. The rest of the page need not know.
if (place.dataset.room) (await import("./rooms/room.js")).startRoom(app, place);
app.open();

const asked = /^#e(\d+)$/.exec(location.hash);
if (asked) {
  const stop = app.store.log.head.subscribe((head) => {
    if (head < Number(asked[1])) return;
    app.actions.goTo(Number(asked[1]));
    queueMicrotask(() => stop());
  });
}
