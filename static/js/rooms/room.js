/**
 * A playground that stands in a room: the bar above it, the way to and from the instructor's cluster, and positions
 * said (leading) or taken (following).
 *
 * Called by main.js when the playground's element carries `data-room`. Everything is drawn into an element of its own
 * before the playground, so the page below need not know of rooms.
 */
import { h, render } from "preact";
import { computed, effect, signal } from "@preact/signals-core";
import { RoomBar } from "./bar.js";
import { courseOf, mirrors } from "./course.js";
import { Confirm } from "./confirm.js";
import { DiagnosisPanel, createDiagnosis } from "./diagnosis.js";
import { createLive } from "./live.js";
import { sayPositions, takePositions } from "./position.js";

/** @typedef {import("../app.js").App} App */

/** @param {App} app @param {HTMLElement} place the playground's element */
export function startRoom(app, place) {
  const { room: id = "", roomSocket = "", roomWatching, cluster = "" } = place.dataset;
  const links = { console: `/rooms/${id}/console/`, own: `/rooms/${id}/`, watch: `/rooms/${id}/watch/` };
  const watching = roomWatching === "true" || roomWatching === "True" || roomWatching === "1";
  const { store, strings } = app;

  const live = createLive({ url: new URL(roomSocket, location.href.replace(/^http/, "ws")).href, onAnswer });
  const diagnosis = createDiagnosis({ send: live.send });
  effect(() => {
    app.docked.value = diagnosis.open.value ? () => h(DiagnosisPanel, { diagnosis, strings, cast: store.cast.value }) : null;
  });

  /** @param {import("../connection.js").Frame} frame */
  function onAnswer(frame) {
    diagnosis.hear(frame);
    if (frame.type === "error") app.toast(frame.message);
  }

  /** Follow, or go one's own way. @param {boolean} on */
  function follow(on) {
    if (!live.send({ type: "follow", on })) app.toast(strings.t("room.lost"));
  }

  const leaving = signal(false);
  async function leave() {
    leaving.value = false;
    const answer = await post(`/rooms/${id}/leave/`);
    if (answer.ok) location.assign("/join/");
    else app.toast(strings.t("room.failed"));
  }

  followCourse({ live, watching, cluster, links });
  const mirroring = computed(() => mirrors(live.room.value, live.me.value, cluster));
  // Who is led is shown something already.
  effect(() => {
    if (mirroring.value) app.coach.closed.value = true;
  });
  effect(() => {
    app.left.value = live.connection.value.state === "gone";
  });
  takePositions({ store, position: () => (mirroring.value ? live.position.value : null) });
  const leading = computed(
    () =>
      live.me.value?.role === "instructor" &&
      live.connection.value.state === "open" &&
      Boolean(live.room.value?.leading) &&
      live.room.value?.cluster === cluster,
  );
  sayPositions({ store, on: () => leading.value, say: (position) => live.send({ type: "position", ...position }) });

  addKey(app, () => {
    if (live.room.peek()?.leading && live.me.peek()?.role === "member") follow(!live.me.peek()?.follows);
  });
  draw(place, () => h(Bar, { live, diagnosis, app, cluster, links, heading: !app.lesson, onFollow: follow, leaving, leave }), strings);
  addEventListener("online", live.retryNow);
  live.open();
  return live;
}

/** Load the page that somebody belongs on, once. @param {{live: import("./live.js").Live, watching: boolean, cluster: string, links: {own: string, watch: string}}} options */
function followCourse({ live, watching, cluster, links }) {
  let going = false;
  effect(() => {
    const [room, me] = [live.room.value, live.me.value];
    if (!room || !me || going) return;
    const address = courseOf({ room, me, watching, cluster, ownUrl: links.own, watchUrl: links.watch });
    if (!address) return;
    going = true;
    location.assign(address);
  });
}

/** @param {any} props */
function Bar({ app, diagnosis, leaving, leave, ...bar }) {
  const { t } = app.strings;
  const stay = () => {
    leaving.value = false;
  };
  return [
    h(RoomBar, {
      ...bar,
      strings: app.strings,
      onNotice: diagnosis.begin,
      onLeave: () => {
        leaving.value = true;
      },
    }),
    h(Confirm, {
      open: leaving.value,
      title: t("room.leave.title"),
      text: t("room.leave.text"),
      yes: t("room.leave"),
      no: t("room.stay"),
      closing: t("room.dismiss"),
      onYes: leave,
      onNo: stay,
    }),
  ];
}

/** @param {HTMLElement} place @param {() => any} content @param {import("../strings.js").Strings} strings */
function draw(place, content, strings) {
  const bar = document.createElement("aside");
  bar.className = "room-bar pane";
  bar.id = "room";
  place.before(bar);
  document.body.classList.add("in-room");
  const Content = () => content();
  effect(() => bar.setAttribute("aria-label", strings.t("room.label")));
  render(h(Content, null), bar);
}

/** The key that takes a learner along, or lets go. @param {App} app @param {() => void} run */
function addKey(app, run) {
  app.keys.add({ keys: ["f"], name: "follow", match: ["f"], run });
}

/** @param {string} address */
export function post(address) {
  const token = /** @type {HTMLInputElement | null} */ (document.querySelector("input[name=csrfmiddlewaretoken]"))?.value ?? "";
  return fetch(address, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } });
}
