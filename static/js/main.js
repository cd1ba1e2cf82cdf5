/** The page's start: read where things are, load the words, draw the panels, open the socket. */
import { h, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "@preact/signals";
import { createApp } from "./app.js";
import { Diagram } from "./diagram/diagram.js";
import { BranchBegun, Branches } from "./panels/branches.js";
import { FaultChips } from "./panels/faults.js";
import { FilterSaid } from "./panels/find.js";
import { Header } from "./panels/header.js";
import { LaneHeads } from "./panels/lanes.js";
import { Once, later } from "./panels/later.js";
import { Banner, Coach, Sentence, Stopped, Toasts } from "./panels/overlays.js";
import { PopoverButton } from "./panels/popover.js";
import { Splitter } from "./panels/splitter.js";
import { StateAside } from "./panels/stateaside.js";
import { Terminal } from "./panels/terminal.js";
import { Transport } from "./panels/transport.js";
import { loadStrings, pageLanguage, wordsFrom } from "./strings.js";

/** @typedef {{app: import("./app.js").App}} Props */

const Drawer = later(() => import("./panels/drawer.js"), "Drawer", "explanations");
const FaultsDialog = later(() => import("./panels/faultsdialog.js"), "FaultsDialog", "faultform", "faults.css");
const Help = later(() => import("./panels/help.js"), "Help");
const LaneMenu = later(() => import("./panels/lanemenu.js"), "LaneMenu");
const LessonPane = later(() => import("./panels/lesson.js"), "LessonPane");
const MythDialog = later(() => import("./panels/myth.js"), "MythDialog");
const ShareDialog = later(() => import("./panels/sharedialog.js"), "ShareDialog", "sharing.css");
const TermCard = later(() => import("./panels/term.js"), "TermCard");
const RecordingSaid = later(() => import("./recording/said.js"), "RecordingSaid");

/** @param {Props} props */
function Stage({ app }) {
  const { store, actions, strings } = app;
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const body = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [size, setSize] = useState({ laneWidth: 100, width: 0, held: 0 });
  useEffect(() => {
    void new Diagram({
      scroller: /** @type {HTMLElement} */ (scroller.current),
      body: /** @type {HTMLElement} */ (body.current),
      unit: app.settings.unit,
      store,
      actions,
      strings,
      onWidth: (laneWidth, width, held) => setSize({ laneWidth, width, held }),
    });
  }, []);
  const { plan } = store.picture.value;
  const nothing = plan.rowsAt(store.shown.value) === 0;
  const later = plan.rows.length > 0;
  return h(
    "section",
    { class: `stage pane${store.why.value ? " asking" : ""}`, "aria-label": strings.t("diagram.label") },
    h(
      "div",
      { class: "scroller", ref: scroller },
      h(
        "div",
        { class: "heads" },
        h(
          "div",
          { class: "corner" },
          h(PopoverButton, {
            app,
            id: "lanes",
            of: LaneMenu,
            label: strings.t("lanes.arrange"),
            icon: "columns",
            size: 15,
            class: "lane-menu",
            look: "ghost small",
            card: "lanes-menu",
          }),
          h("span", { "aria-hidden": "true" }, strings.t("diagram.time")),
        ),
        h(LaneHeads, { app, ...size }),
      ),
      h(Still, { hold: body, label: strings.t("diagram.rows") }),
    ),
    nothing &&
      store.filtered.value &&
      h(
        "p",
        { class: "nothing" },
        strings.t(later ? "diagram.later" : "diagram.nothing"),
        " ",
        later && [h("button", { type: "button", class: "button", onClick: actions.toStart }, strings.t("diagram.first")), " "],
        h("button", { type: "button", class: "button", onClick: actions.clearFilters }, strings.t("find.clear")),
      ),
    !app.lesson && !app.shared && !app.imported && !app.recording && !app.docked.value && h(Coach, { app }),
    h(Sentence, { app }),
  );
}

/** The diagram's own ground: panels never touch what is inside. @param {{hold: {current: HTMLDivElement | null}, label: string}} props */
function Still({ hold, label }) {
  return h("div", { class: "rows-body", id: "diagram", tabIndex: 0, ref: hold, "aria-label": label });
}

/** `heading`: neither a lesson nor a room brings one. `bar`: in a frame, all there is beside the diagram. @param {Props & {heading: boolean, bar?: import("preact").VNode | null}} props */
function Page({ app, heading, bar = null }) {
  const beside = app.lesson && !app.lessonFolded.value;
  const docked = app.docked.value;
  const dialog = app.store.dialog.value;
  const closeDialog = () => {
    app.store.dialog.value = null;
  };
  const runs = !app.shared && !app.imported && !app.recording;
  const printed = app.recording !== null && app.console.commands.value.length > 0;
  return h(
    "div",
    { class: `page${app.lesson ? " with-lesson" : ""}${beside || docked ? " halved" : ""}${bar ? " framed" : ""}` },
    heading && h("h1", { class: "visually-hidden" }, app.strings.t(app.recording ? "recording.heading" : "page.heading")),
    !bar && h(Header, { app }),
    h(
      "div",
      { class: "notices" },
      app.recording && h(RecordingSaid, { app }),
      h(Banner, { app }),
      h(FaultChips, { app }),
      h(FilterSaid, { app }),
      h(Stopped, { app }),
      h(BranchBegun, { app }),
    ),
    app.lesson && h(LessonPane, { app }),
    beside && h(Splitter, { name: "lesson", axis: "x", app, from: "start" }),
    h(
      "div",
      { class: "middle", "data-front": app.store.front.value },
      h(Stage, { app }),
      app.state.open.value && h(Splitter, { name: "state", axis: "x", app }),
      app.state.open.value && h(StateAside, { app }),
      app.store.drawer.value && h(Splitter, { name: "drawer", axis: "x", app }),
      h("div", { class: "side" }, docked?.(), h(Once, { open: app.store.drawer.value, of: Drawer, onLost: app.actions.close, app })),
    ),
    bar ?? h(Transport, { app }),
    (runs || printed) && [h(Splitter, { key: "s", name: "terminal", axis: "y", app }), h(Terminal, { key: "t", app })],
    runs && h(Branches, { app }),
    h(Toasts, { app }),
    h(Once, { open: dialog === "help", of: Help, onLost: closeDialog, app }),
    h(Once, { open: dialog === "faults", of: FaultsDialog, onLost: closeDialog, app }),
    h(Once, { open: dialog === "share", of: ShareDialog, onLost: closeDialog, app }),
    app.lesson && [h(MythDialog, { key: "m", app }), h(TermCard, { key: "t", app })],
  );
}

const place = /** @type {HTMLElement} */ (document.getElementById("playground"));
const {
  cluster = "",
  socket = "",
  entries = "",
  kubeconfig = "",
  newCluster = "",
  words = "",
  parts = "",
  shares = "",
  shared,
  imported,
  problems = "",
  notMade = "",
  notTold = "",
  framed,
} = place.dataset;
const language = pageLanguage();
const urls = {
  socket: new URL(socket, location.href.replace(/^http/, "ws")).href,
  entries,
  state: entries.replace(/entries\/$/, "state/"),
  exports: entries.replace(/entries\/$/, "export/"),
  branches: entries.replace(/entries\/$/, "branches/"),
  kubeconfig,
  shares,
  newCluster,
  words,
};
// The run may stand in the page's own file; then nothing is asked of a server.
const recording = document.getElementById("recording") ? (await import("./recording/recording.js")).openRecording() : null;
const strings = await loadStrings(recording?.words ?? wordsFrom(words), language, parts.split(" ").filter(Boolean));
const lessonData = JSON.parse(document.getElementById("lesson-data")?.textContent || "null");
const createLesson = lessonData ? (await import("./lesson/lesson.js")).createLesson : null;
const inRoom = Boolean(place.dataset.room);
const app = createApp({
  ...{ clusterId: recording?.name ?? cluster, urls, strings, lessonData, createLesson, recording },
  ...{
    inRoom,
    shared: Boolean(shared),
    framed: Boolean(framed),
    imported: imported ? { problems, kind: imported, notMade: notMade.split(" "), notTold: notTold.split(" ") } : null,
  },
});
if (app.lesson) (await import("./lesson/keep.js")).keepProgress(app.lesson);
place.replaceChildren();
const address = shared ? await import("./sharing/address.js") : null;
const bar = framed && address ? (await import("./framed/bar.js")).startFrame(app, address.readAddress(location.search)) : null;
render(h(Page, { app, heading: !lessonData && !inRoom, bar }), place);
// The modules are here: what had them fetched early is a hundred elements.
for (const link of document.querySelectorAll("link[rel=modulepreload]")) link.remove();
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
// A link says where its reader stands, and how they look at the run, unless they have been here already.
if (address && !framed && !history.state?.place) address.takeAddress(app.store, address.readAddress(location.search));
// A lesson and a room say themselves where the reader stands.
if (!framed) app.trail.begin(!asked && !lessonData && !inRoom);
