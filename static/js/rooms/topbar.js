/** The console's head: the way into the room, and the switches that concern everybody. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Icon } from "../icons.js";
import { writeText } from "../panels/copy.js";
import { grouped } from "./code.js";
import { Switch } from "./switch.js";

/** @param {{app: import("./console.js").Console, room: import("./live.js").Room, onProject: () => void}} props */
export function TopBar({ app, room, onProject }) {
  const {
    live,
    strings: { t },
    said,
  } = app;
  const closed = room.state === "closed";
  const lost = live.connection.value.state === "lost";
  return h(
    "section",
    { class: "room-top pane", "aria-label": t("room.label") },
    h("div", { class: "room-heading" }, h("h1", null, room.title), h("p", { class: "fine" }, t(`room.mode.${room.mode}`))),
    closed
      ? h("p", { class: "room-flag warn" }, h(Icon, { name: "lock", size: 15 }), t("room.closed"))
      : h(WayIn, { app, room, onProject }),
    h(
      "div",
      { class: "room-switches" },
      h(Switch, {
        on: room.paused,
        label: t("room.pause"),
        title: t("room.pause.title"),
        disabled: closed,
        onChange: (on) => live.send({ type: "pause", on }),
      }),
      h(Switch, {
        on: room.leading,
        label: t("room.lead"),
        title: t(room.cluster ? "room.lead.title" : "room.lead.first"),
        disabled: closed || !room.cluster,
        onChange: (on) => live.send({ type: "lead", on }),
      }),
    ),
    h(
      "div",
      { class: "room-links" },
      h("a", { class: "button", href: app.data.watch }, h(Icon, { name: "layers", size: 15 }), t("room.myCluster")),
      h("a", { class: "button", href: app.data.results, download: "" }, h(Icon, { name: "download", size: 15 }), t("room.csv")),
      !closed &&
        h(
          "button",
          { type: "button", class: "ghost small", onClick: () => app.ask("close") },
          h(Icon, { name: "lock", size: 15 }),
          t("room.close.short"),
        ),
      h(
        "button",
        { type: "button", class: "ghost small", onClick: () => app.ask("delete") },
        h(Icon, { name: "trash", size: 15 }),
        t("room.delete.short"),
      ),
    ),
    h("p", { class: "room-said", role: "alert" }, said.value && [h(Icon, { name: "warning", size: 15 }), said.value]),
    h("p", { class: "room-said", role: "status" }, lost && [h(Icon, { name: "plug", size: 15 }), t("room.lost")]),
  );
}

/** @param {{app: import("./console.js").Console, room: import("./live.js").Room, onProject: () => void}} props */
function WayIn({ app, room, onProject }) {
  const { t } = app.strings;
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await writeText(app.data.join ?? "");
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return h(
    "div",
    { class: "room-way-in" },
    h(
      "p",
      { class: "room-code-line" },
      h("span", { class: "fine" }, t("room.code")),
      h("span", { class: "room-code" }, grouped(room.code ?? "")),
    ),
    h("button", { type: "button", class: "button", onClick: onProject }, h(Icon, { name: "qr", size: 16 }), t("room.project")),
    h(
      "button",
      { type: "button", class: "button", onClick: copy },
      h(Icon, { name: copied ? "check" : "link", size: 16 }),
      h("span", { role: "status" }, t(copied ? "copy.done" : "room.copyLink")),
    ),
  );
}
