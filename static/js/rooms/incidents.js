/** What the instructor has broken: what, whose, when, how far the class has come with it, and the way to heal it. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { tallyOf } from "./board.js";
import { faultName, instant, targetsText, whenText } from "./words.js";

/** @typedef {import("./live.js").Incident} Incident */

/** @param {{live: import("./live.js").Live, strings: import("../strings.js").Strings, onBreak: () => void}} props */
export function Incidents({ live, strings, onBreak }) {
  const { t } = strings;
  const incidents = live.incidents.value;
  const open = incidents.some((incident) => !incident.healed);
  const closed = live.room.value?.state === "closed";
  return h(
    "section",
    { class: "room-incidents pane", "aria-label": t("room.incidents") },
    h(
      "header",
      null,
      h("h2", null, t("room.incidents")),
      open &&
        h(
          "button",
          { type: "button", class: "button", onClick: () => live.send({ type: "heal" }) },
          h(Icon, { name: "pulse", size: 15 }),
          t("fault.healAll"),
        ),
    ),
    h(
      "button",
      { type: "button", class: "button danger", id: "break", onClick: onBreak, disabled: closed },
      h(Icon, { name: "bolt", size: 16 }),
      t("room.break"),
    ),
    incidents.length
      ? h(
          "ol",
          null,
          incidents.toReversed().map((incident) => h(Line, { key: incident.id, incident, live, strings })),
        )
      : h("p", { class: "fine" }, t("room.incidents.none")),
  );
}

/** @param {{incident: Incident, live: import("./live.js").Live, strings: import("../strings.js").Strings}} props */
function Line({ incident, live, strings: { t, language } }) {
  const rows = live.rows.value;
  const tally = tallyOf(incident, rows.values());
  const name = faultName(incident.fault, t);
  return h(
    "li",
    { class: incident.healed ? "healed" : "" },
    h(
      "p",
      { class: "room-incident-name" },
      h("span", { class: "room-number" }, t("room.incident", { number: incident.number })),
      h("b", null, name),
      " ",
      h("span", null, t("fault.on", { target: incident.fault.target })),
    ),
    h(
      "p",
      { class: "fine" },
      `${targetsText(incident.targets, rows, t)} · ${whenText(incident, t)} · ${instant(incident.made, language.value)}`,
    ),
    h("p", { class: "room-tally" }, tally.of === 0 ? t("room.tally.nobody") : t("room.tally", tally)),
    tally.problems.map((problem) => h("p", { key: problem, class: "room-problem" }, h(Icon, { name: "warning", size: 13 }), problem)),
    incident.healed
      ? h(
          "p",
          { class: "fine" },
          h(Icon, { name: "check", size: 13 }),
          t("room.healed", { time: instant(incident.healed, language.value) }),
        )
      : h(
          "button",
          {
            type: "button",
            class: "button",
            onClick: () => live.send({ type: "heal", incident: incident.id }),
            "aria-label": t("room.heal.of", { number: incident.number, name }),
          },
          t("fault.heal"),
        ),
  );
}
