/** Lanes arranged by hand: order, pins, folded hosts. What dragging a lane's name does, for keys and small screens. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { orderOf } from "../arrangement.js";

/** @typedef {{app: import("../app.js").App}} Props */
/** @typedef {import("../lanes.js").Lane} Lane */

/** @param {Props} props */
export function LaneMenu({ app }) {
  const {
    store,
    arranging,
    strings: { t },
  } = app;
  const arrangement = store.arrangement.value;
  const { drawn } = store.picture.value.plan.lanes;
  const pinned = drawn.filter(({ id }) => arrangement.pinned.includes(id));
  const others = drawn.filter(({ id }) => !arrangement.pinned.includes(id));
  const list = (/** @type {Lane[]} */ lanes) =>
    h(
      "ul",
      null,
      lanes.map((lane) => h(LaneItem, { key: lane.id, app, lane })),
    );
  return [
    h("h2", null, t("lanes.arrange")),
    h("p", null, t("lanes.text")),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", checked: arrangement.hides, onChange: arranging.hide }),
      h("span", null, t("lanes.hides")),
    ),
    pinned.length > 0 && h("section", null, h("h3", null, t("lanes.pinned")), list(pinned)),
    orderOf(others).hosts.map((host) =>
      h(
        "section",
        { key: host },
        h(
          "h3",
          null,
          h("span", null, host),
          h(Act, {
            icon: arrangement.folded.includes(host) ? "unfold" : "fold",
            label: t(arrangement.folded.includes(host) ? "lanes.unfold" : "lanes.fold", { name: host }),
            onClick: () => arranging.fold(host),
          }),
          h(Act, { icon: "left", label: t("lanes.left", { name: host }), onClick: () => arranging.shiftHost(host, -1) }),
          h(Act, { icon: "right", label: t("lanes.right", { name: host }), onClick: () => arranging.shiftHost(host, 1) }),
        ),
        list(others.filter((lane) => lane.host === host && lane.id !== host)),
      ),
    ),
    h("button", { type: "button", class: "button", onClick: arranging.reset }, t("lanes.reset")),
  ];
}

/** @param {Props & {lane: Lane}} props */
function LaneItem({ app, lane }) {
  const {
    store,
    arranging,
    strings: { t },
  } = app;
  const on = store.arrangement.value.pinned.includes(lane.id);
  const name = on ? lane.id : lane.name;
  return h(
    "li",
    null,
    h("span", null, name),
    h(Act, { icon: "pin", label: t(on ? "lanes.unpin" : "lanes.pin", { name: lane.id }), on, onClick: () => arranging.pin(lane.id) }),
    h(Act, { icon: "left", label: t("lanes.left", { name: lane.id }), onClick: () => arranging.shift(lane, -1) }),
    h(Act, { icon: "right", label: t("lanes.right", { name: lane.id }), onClick: () => arranging.shift(lane, 1) }),
  );
}

/** @param {{icon: string, label: string, on?: boolean, onClick: () => void}} props */
const Act = ({ icon, label, on, onClick }) =>
  h(
    "button",
    {
      type: "button",
      class: "ghost small",
      title: label,
      "aria-label": label,
      "aria-pressed": on === undefined ? undefined : String(on),
      onClick,
    },
    h(Icon, { name: icon, size: 15 }),
  );
