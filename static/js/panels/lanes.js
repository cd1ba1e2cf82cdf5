/** The cast above the diagram: hosts, and under them one button a participant that narrows the diagram to it, and is dragged to another place. */
import { h } from "preact";
import { useRef } from "preact/hooks";
import { hostsOf } from "../lanes.js";

/** From here on, in units of ten to the rem as all widths here, names are written larger. */
const WIDE = 84;

/** @param {{app: import("../app.js").App, laneWidth: number, width: number, held: number}} props  `held`: so many lanes, the first, stay in view */
export function LaneHeads({ app, laneWidth, width, held }) {
  const { store, strings, actions } = app;
  const dragged = useRef(/** @type {import("../lanes.js").Lane | null} */ (null));
  const { plan } = store.picture.value;
  const lanes = plan.lanes.drawn;
  const chosen = store.participants.value;
  const shown = store.shown.value;
  const left = (/** @type {number} */ index) => 4 + index * laneWidth;
  const called = (/** @type {import("../lanes.js").Lane} */ lane) => (lane.id === "workstation" ? strings.t("lanes.you") : lane.name);
  /** People and pods are there; of what runs in a pod from its beginning nothing is noted. */
  const alive = (/** @type {import("../lanes.js").Lane} */ lane) =>
    (!lane.id.includes("/") && lane.lives.length === 0) ||
    lane.lives.some((life) => life.seq <= shown && (life.endSeq === null || life.endSeq > shown));
  const heads = (/** @type {import("../lanes.js").Lane[]} */ some) => [
    h(
      "div",
      { class: "hosts", "aria-hidden": "true" },
      hostsOf(some).map(
        (host) =>
          host.host !== called(lanes[host.first]) &&
          h(
            "div",
            {
              key: `${host.host}${host.first}`,
              class: "host",
              style: { left: `${(left(host.first) + 3) / 10}rem`, width: `${(host.count * laneWidth - 6) / 10}rem` },
            },
            h("span", { class: "host-name" }, host.host),
            host.address && host.count > 1 && h("span", { class: "host-address" }, host.address),
          ),
      ),
    ),
    some.map((lane) =>
      h(
        "button",
        {
          key: lane.id,
          type: "button",
          class: `lane-name${alive(lane) ? "" : " idle"}`,
          style: { left: `${(left(lane.slot) + 1) / 10}rem`, width: `${(laneWidth - 2) / 10}rem` },
          "aria-pressed": String(chosen.has(lane.id)),
          title: `${strings.t(chosen.has(lane.id) ? "lanes.all" : "lanes.only", { name: lane.name })} ${lane.address}`.trim(),
          onClick: () => actions.toggleParticipant(lane.id),
          draggable: true,
          onDragStart: (/** @type {DragEvent} */ event) => {
            dragged.current = lane;
            event.dataTransfer?.setData("text/plain", lane.id);
          },
          onDragOver: (/** @type {Event} */ event) => dragged.current && event.preventDefault(),
          onDrop: (/** @type {Event} */ event) => {
            event.preventDefault();
            if (dragged.current && dragged.current.id !== lane.id) app.arranging.move(dragged.current, lane);
            dragged.current = null;
          },
        },
        h("span", null, broken(called(lane))),
      ),
    ),
  ];
  return h(
    "div",
    {
      class: `lane-heads${laneWidth < WIDE ? " close" : ""}`,
      style: { width: `${width / 10}rem` },
      role: "group",
      "aria-label": strings.t("lanes.filter"),
    },
    held > 0 && h("div", { class: "held-heads", style: { width: `${left(held) / 10}rem` } }, heads(lanes.slice(0, held))),
    heads(lanes.slice(held)),
  );
}

/** A name with places where it may break. @param {string} name */
const broken = (name) => name.split(/(?<=-)/).flatMap((part, i) => (i ? [h("wbr", null), part] : [part]));
