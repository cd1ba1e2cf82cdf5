/** The instructor's console on the screen: the way in, the live board, what is broken, and the switches of the room. */
import { h, render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import "@preact/signals";
import { Icon } from "../icons.js";
import { loadStrings, pageLanguage, wordsFrom } from "../strings.js";
import { countsOf, groupsOf, isBroken, ordered } from "./board.js";
import { BreakDialog } from "./breaking.js";
import { createConsole } from "./console.js";
import { Confirm } from "./confirm.js";
import { Incidents } from "./incidents.js";
import { Picture, Projector } from "./projector.js";
import { BoardTable } from "./table.js";
import { TopBar } from "./topbar.js";

/** @typedef {import("./live.js").Row} Row */
/** @typedef {import("./console.js").Console} Console */

const INCIDENTS_SHOWN = 2;

/** @param {{app: Console}} props */
function ConsolePage({ app }) {
  const { live, strings, question } = app;
  const { t } = strings;
  const [member, setMember] = useState(/** @type {number | null} */ (null));
  const [breaks, setBreaks] = useState(false);
  const [projects, setProjects] = useState(false);
  const room = live.room.value;
  const asked = question.value;
  const openBreak = (/** @type {number | null} */ whose) => {
    setMember(whose);
    setBreaks(true);
    void app.lookForMachines();
  };
  const rowActions = useMemo(() => ({ ...app.rowActions, onBreak: (/** @type {Row} */ row) => openBreak(row.member) }), []);
  const no = () => {
    question.value = null;
  };
  if (live.connection.value.state === "gone")
    return h("p", { class: "room-gone pane", role: "alert" }, t("room.goneForYou"), " ", h("a", { href: "/rooms/" }, t("room.rooms")));
  if (!room) return h("p", { class: "room-gone", role: "status" }, t("room.connecting"));
  return [
    h(TopBar, { key: "top", app, room, onProject: () => setProjects(true) }),
    h(
      "div",
      { key: "main", class: "room-main" },
      h(Board, { app, rowActions }),
      h(Incidents, { live, strings, onBreak: () => openBreak(null) }),
    ),
    h("p", { key: "news", class: "visually-hidden", "aria-live": "polite" }, app.announcer.text.value),
    h(BreakDialog, {
      key: "break",
      open: breaks,
      member,
      onClose: () => setBreaks(false),
      onBroken: () => setBreaks(false),
      breaking: app.breaking,
      live,
      strings,
      faults: app.faults,
      cast: app.cast.value,
    }),
    h(Projector, {
      key: "project",
      open: projects,
      onClose: () => setProjects(false),
      strings,
      title: room.title,
      code: room.code ?? "",
      address: app.data.join ?? "",
      joined: live.rows.value.size,
      qr: joinPicture(),
    }),
    h(Confirm, {
      key: "confirm",
      open: asked !== null,
      title: asked?.title ?? "",
      text: asked?.text ?? "",
      yes: asked?.yes ?? "",
      no: t("room.no"),
      closing: t("room.dismiss"),
      onNo: no,
      onYes: () => {
        no();
        asked?.run();
      },
    }),
  ];
}

/** @param {{app: Console, rowActions: import("./table.js").RowActions}} props */
function Board({ app, rowActions }) {
  const { live, strings } = app;
  const { t } = strings;
  const [order, setOrder] = useState(/** @type {import("./board.js").Order} */ ({ by: "name", down: false }));
  const [group, setGroup] = useState(/** @type {string | null} */ (null));
  const [every, setEvery] = useState(false);
  const rows = live.rows.value;
  const groups = groupsOf(rows.values());
  const { all, online, help } = countsOf(rows.values());
  const incidents = live.incidents.value;
  const shownRows = ordered(rows.values(), order, group);
  const shown = useMemo(() => (every ? incidents : incidents.slice(-INCIDENTS_SHOWN)).toReversed(), [incidents, every]);
  useKeptFocus();
  return h(
    "section",
    { class: "room-boards pane", "aria-label": t("room.learners") },
    h(
      "header",
      null,
      h("h2", null, t("room.learners")),
      h(
        "p",
        { class: "room-counts" },
        t("room.online", { online, all }),
        help > 0 && h("span", { class: "room-flag warn" }, h(Icon, { name: "hand", size: 14 }), t("room.helpCount", { count: help })),
      ),
      incidents.length > INCIDENTS_SHOWN &&
        h(
          "label",
          { class: "room-every" },
          h("input", {
            type: "checkbox",
            checked: every,
            onChange: (/** @type {Event} */ event) => setEvery(/** @type {HTMLInputElement} */ (event.currentTarget).checked),
          }),
          t("room.every", { count: incidents.length }),
        ),
      groups.length > 0 &&
        h(
          "label",
          { class: "room-filter" },
          h("span", null, t("room.column.group")),
          h(
            "select",
            {
              value: group === null ? "all" : `=${group}`,
              onChange: (/** @type {Event} */ event) => {
                const { value } = /** @type {HTMLSelectElement} */ (event.currentTarget);
                setGroup(value === "all" ? null : value.slice(1));
              },
            },
            h("option", { value: "all" }, t("room.group.all")),
            groups.map((name) => h("option", { key: name, value: `=${name}` }, name || t("room.group.none"))),
          ),
        ),
      group &&
        shownRows.some(isBroken) &&
        h(
          "button",
          { type: "button", class: "button", onClick: () => live.send({ type: "heal", targets: { group } }) },
          h(Icon, { name: "pulse", size: 15 }),
          t("room.heal.group", { group }),
        ),
    ),
    rows.size
      ? h(BoardTable, { rows: shownRows, incidents: shown, order, onOrder: setOrder, beats: app.beats, strings, actions: rowActions })
      : h(
          "div",
          { class: "room-empty" },
          h("p", null, t("room.empty")),
          h(Picture, { template: joinPicture() }),
          h("p", { class: "room-empty-address" }, app.data.join),
        ),
  );
}

/** The QR code that the server drew. */
const joinPicture = () => /** @type {HTMLTemplateElement | null} */ (document.getElementById("join-qr"));

/** A row that moves while one of its buttons has the focus takes the focus along. */
function useKeptFocus() {
  useEffect(() => {
    /** @type {HTMLElement | null} */
    let last = null;
    const onFocus = (/** @type {FocusEvent} */ event) => {
      last = /** @type {HTMLElement} */ (event.target).closest(".room-board") ? /** @type {HTMLElement} */ (event.target) : null;
    };
    const observer = new MutationObserver(() => {
      if (last?.isConnected && document.activeElement === document.body) last.focus({ preventScroll: true });
    });
    document.addEventListener("focusin", onFocus);
    const board = document.getElementById("console");
    if (board) observer.observe(board, { childList: true, subtree: true });
    return () => {
      document.removeEventListener("focusin", onFocus);
      observer.disconnect();
    };
  }, []);
}

/** Load the words and begin. @param {HTMLElement} place */
async function start(place) {
  const language = pageLanguage();
  const { words = "", parts = "" } = place.dataset;
  const app = createConsole({ place, strings: await loadStrings(wordsFrom(words), language, parts.split(" ")) });
  place.replaceChildren();
  render(h(ConsolePage, { app }), place);
  addEventListener("online", app.live.retryNow);
  app.live.open();
}

const place = document.getElementById("console");
if (place) await start(place);
