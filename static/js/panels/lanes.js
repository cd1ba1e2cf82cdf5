/** The cast above the diagram: hosts, and under them one button a participant that narrows the diagram to it. */
import { h } from "preact";
import { hostsOf } from "../lanes.js";

/** From here on, in pixels, names are written larger. */
const WIDE = 84;

/** @param {{app: import("../app.js").App, laneWidth: number, width: number}} props */
export function LaneHeads({ app, laneWidth, width }) {
  const { store, strings, actions } = app;
  const { plan } = store.picture.value;
  const lanes = plan.lanes.drawn;
  const chosen = store.participants.value;
  const shown = store.shown.value;
  const left = (/** @type {number} */ index) => 4 + index * laneWidth;
  const called = (/** @type {import("../lanes.js").Lane} */ lane) => (lane.id === "workstation" ? strings.t("lanes.you") : lane.name);
  /** People and pods are there; of what runs in a pod from its beginning nothing is noted. */
  const alive = (/** @type {import("../lanes.js").Lane} */ lane) =>
    !lane.id.includes("/") || lane.lives.some((life) => life.seq <= shown && (life.endSeq === null || life.endSeq > shown));
  return h(
    "div",
    { class: `lane-heads${laneWidth < WIDE ? " close" : ""}`, style: { width: `${width}px` } },
    h(
      "div",
      { class: "hosts", "aria-hidden": "true" },
      hostsOf(lanes).map(
        (host) =>
          host.host !== called(lanes[host.first]) &&
          h(
            "div",
            {
              key: `${host.host}${host.first}`,
              class: "host",
              style: { left: `${left(host.first) + 3}px`, width: `${host.count * laneWidth - 6}px` },
            },
            h("span", { class: "host-name" }, host.host),
            host.address && host.count > 1 && h("span", { class: "host-address" }, host.address),
          ),
      ),
    ),
    h(
      "div",
      { class: "lane-names", role: "group", "aria-label": strings.t("lanes.filter") },
      lanes.map((lane) =>
        h(
          "button",
          {
            key: lane.id,
            type: "button",
            class: `lane-name${alive(lane) ? "" : " idle"}`,
            style: { left: `${left(lane.slot) + 1}px`, width: `${laneWidth - 2}px` },
            "aria-pressed": String(chosen.has(lane.id)),
            title: `${strings.t(chosen.has(lane.id) ? "lanes.all" : "lanes.only", { name: lane.name })} ${lane.address}`.trim(),
            onClick: () => actions.toggleParticipant(lane.id),
          },
          h("span", null, broken(called(lane))),
        ),
      ),
    ),
  );
}

/** A name with places where it may break. @param {string} name */
const broken = (name) => name.split(/(?<=-)/).flatMap((part, i) => (i ? [h("wbr", null), part] : [part]));
