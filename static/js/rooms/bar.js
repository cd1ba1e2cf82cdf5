/** The room over the playground: who one is in it, what the class is doing now, and how to ask for help. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { countsOf } from "./board.js";
import { mirrors } from "./course.js";
import { Switch } from "./switch.js";

/** @typedef {import("./live.js").Live} Live */
/** @typedef {{live: Live, strings: import("../strings.js").Strings, cluster: string, links: {console: string, own: string, watch: string}, heading: boolean, onNotice: () => void, onLeave: () => void, onFollow: (on: boolean) => void}} Props */
// `heading`: the page has no other; a lesson brings its own.

/** @param {Props} props */
export function RoomBar(props) {
  const {
    live,
    strings: { t },
  } = props;
  const room = live.room.value;
  const me = live.me.value;
  const { state } = live.connection.value;
  if (state === "gone")
    return h(
      "div",
      { class: "room-bar-inner" },
      h("p", { role: "alert", class: "room-flag warn" }, h(Icon, { name: "warning", size: 16 }), t("room.gone")),
      h("a", { class: "button", href: "/join/" }, t("room.join")),
    );
  if (!room || !me) return h("div", { class: "room-bar-inner" }, h("p", { role: "status", class: "fine" }, t("room.connecting")));
  return h(
    "div",
    { class: "room-bar-inner" },
    h(
      "div",
      { class: "room-title" },
      h(Icon, { name: "users", size: 17 }),
      h(props.heading ? "h1" : "b", null, room.title),
      me.role === "member" && h("span", { class: "room-me" }, me.group ? `${me.name} · ${me.group}` : me.name),
    ),
    h(
      "div",
      { class: "room-flags", role: "status" },
      state === "lost" && h("p", { class: "room-flag warn" }, h(Icon, { name: "plug", size: 15 }), t("room.lost")),
      room.state === "closed" && h("p", { class: "room-flag warn" }, h(Icon, { name: "lock", size: 15 }), t("room.closed")),
      room.paused &&
        h(
          "p",
          { class: "room-flag warn" },
          h(Icon, { name: "pause", size: 15 }),
          t(me.role === "member" ? "room.paused" : "room.pausedByYou"),
        ),
      h(Following, props),
    ),
    me.role === "member" ? h(Member, props) : h(Instructor, props),
  );
}

/** @param {Props} props */
function Following({ live, strings: { t }, cluster }) {
  const [room, me] = [live.room.value, live.me.value];
  if (!room?.leading || me?.role !== "member") return null;
  return mirrors(room, me, cluster)
    ? h("p", { class: "room-flag lead" }, h(Icon, { name: "eye", size: 16 }), t("room.following"))
    : h("p", { class: "room-flag" }, h(Icon, { name: "eye", size: 16 }), t(me.follows ? "room.goingThere" : "room.notFollowing"));
}

/** @param {Props} props */
function Member({ live, strings: { t }, onNotice, onLeave, onFollow }) {
  const [room, me] = [live.room.value, live.me.value];
  const follows = Boolean(me?.follows);
  const asks = Boolean(me?.help);
  return h(
    "div",
    { class: "room-tools" },
    room?.leading &&
      h(
        "button",
        {
          type: "button",
          class: `button${follows ? "" : " primary"}`,
          id: "room-follow",
          onClick: () => onFollow(!follows),
          "aria-keyshortcuts": "f",
        },
        t(follows ? "room.unfollow" : "room.follow"),
        h("kbd", { "aria-hidden": "true" }, "f"),
      ),
    h(
      "button",
      { type: "button", class: "button room-help", "aria-pressed": String(asks), onClick: () => live.send({ type: "help", on: !asks }) },
      h(Icon, { name: "hand", size: 16 }),
      t(asks ? "room.helpAsked" : "room.help"),
    ),
    h(
      "button",
      { type: "button", class: "button room-notice", onClick: onNotice },
      h(Icon, { name: "warning", size: 16 }),
      t("room.notice"),
    ),
    h("button", { type: "button", class: "ghost small room-leave", onClick: onLeave }, t("room.leave")),
  );
}

/** @param {Props} props */
function Instructor({ live, strings: { t }, cluster, links }) {
  const room = /** @type {import("./live.js").Room} */ (live.room.value);
  const { online, all, help } = countsOf(live.rows.value.values());
  const here = room.cluster === cluster;
  return h(
    "div",
    { class: "room-tools" },
    help > 0 &&
      h("a", { class: "room-flag warn", href: links.console }, h(Icon, { name: "hand", size: 16 }), t("room.helpCount", { count: help })),
    h("span", { class: "fine" }, t("room.online", { online, all })),
    here &&
      h(Switch, {
        on: room.leading,
        label: t("room.lead"),
        title: t("room.lead.title"),
        disabled: room.state === "closed",
        onChange: (on) => live.send({ type: "lead", on }),
      }),
    h(Switch, {
      on: room.paused,
      label: t("room.pause"),
      title: t("room.pause.title"),
      disabled: room.state === "closed",
      onChange: (on) => live.send({ type: "pause", on }),
    }),
    h("a", { class: "button", href: links.console }, h(Icon, { name: "layers", size: 16 }), t("room.console")),
  );
}
