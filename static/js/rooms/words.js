/** What the console says of faults, targets, moments and instants. */
import { clock } from "../format.js";
import { momentOf } from "./presets.js";

/** @typedef {import("../strings.js").Strings["t"]} T */

/** @param {import("./live.js").Fault} fault @param {T} t */
export const faultName = (fault, t) => t(`fault.${fault.name}.name`);

/** Whom an incident concerns. @param {import("./live.js").Targets} targets @param {ReadonlyMap<number, import("./live.js").Row>} rows @param {T} t */
export function targetsText({ group, member }, rows, t) {
  if (member !== undefined && member !== null) return rows.get(member)?.name ?? t("room.target.gone");
  if (group !== undefined && group !== null) return t("room.target.group", { group: group || t("room.group.none") });
  return t("room.target.all");
}

/** When it is to happen. @param {import("./live.js").Incident} incident @param {T} t */
export function whenText({ when, fault }, t) {
  if (when !== null) return t(`room.when.${momentOf(when) ?? "own"}`);
  return fault.start ? t("room.when.later", { seconds: fault.start }) : t("room.when.now");
}

/** An instant: of the day where it is a date, of the cluster where it is seconds. @param {string | number} at @param {string} language */
export function instant(at, language) {
  if (typeof at === "number") return clock(at, 0);
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(
    new Date(at),
  );
}
