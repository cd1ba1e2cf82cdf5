/**
 * "Break something" for a class: the fault's own form, and below it whose clusters and when.
 *
 * The server answers `broken` with the id that was sent, or `error` with it; what it would not do is said in the form,
 * and what was typed stays.
 */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { FaultForm } from "../faultform.js";
import { groupsOf } from "./board.js";
import { Dialog } from "../dialog.js";
import { MOMENTS } from "./presets.js";

/** @typedef {import("./live.js").Targets} Targets */
/** @typedef {ReturnType<typeof createBreaking>} Breaking */

const ANSWER_MS = 15_000;
const EXAMPLE = "entry:\n  kind: http.request\n  fields: {verb: create, resource: pods}";
const BEYOND_NOW = [...Object.keys(MOMENTS), "own"];

/** Breaks that were sent and are not answered yet. @param {{send: (frame: import("../connection.js").Frame) => boolean, t: (key: string) => string, newId: () => string}} options */
export function createBreaking({ send, t, newId }) {
  /** @type {Map<string, (message: string | null) => void>} */
  const waiting = new Map();
  return {
    /** @param {Record<string, any>} fault @param {Targets} targets @param {Record<string, any> | string | null} when @returns {Promise<string | null>} what the server would not do */
    break(fault, targets, when) {
      const id = newId();
      if (!send({ type: "break", id, fault, targets, ...(when === null ? {} : { when }) })) return Promise.resolve(t("fault.offline"));
      return new Promise((resolve) => {
        const timer = setTimeout(() => answer(id, t("room.break.silent")), ANSWER_MS);
        waiting.set(id, (message) => {
          clearTimeout(timer);
          resolve(message);
        });
      });
    },
    /** @param {import("../connection.js").Frame} frame @returns {boolean} whether it answered a break */
    hear(frame) {
      return (frame.type === "broken" || frame.type === "error") && answer(frame.id, frame.type === "error" ? frame.message : null);
    },
  };

  /** @param {string} id @param {string | null} message */
  function answer(id, message) {
    const settle = waiting.get(id);
    waiting.delete(id);
    settle?.(message);
    return settle !== undefined;
  }
}

/**
 * @param {{open: boolean, member: number | null, onClose: () => void, onBroken: () => void, breaking: Breaking, live: import("./live.js").Live,
 *   strings: import("../strings.js").Strings, faults: import("../faults.js").Fault[], cast: import("../lanes.js").Cast}} props
 */
export function BreakDialog({ open, member, onClose, onBroken, breaking, live, strings, faults, cast }) {
  const { t } = strings;
  const [whose, setWhose] = useState("all");
  const [when, setWhen] = useState("now");
  const [own, setOwn] = useState("");
  useEffect(() => {
    if (!open) return;
    setWhose(member === null ? "all" : `member ${member}`);
    setWhen("now");
  }, [open, member]);
  const submit = async (/** @type {Record<string, any>} */ fault) => {
    const predicate = when === "now" ? null : when === "own" ? own : MOMENTS[when];
    if (when === "own" && !own.trim()) return t("room.when.empty");
    const message = await breaking.break(fault, targetsOf(whose), predicate);
    if (!message) onBroken();
    return message;
  };
  return h(
    Dialog,
    { open, onClose, title: t("room.break"), closing: t("room.dismiss"), class: "room-break" },
    h(
      FaultForm,
      { faults, cast, strings, onSubmit: submit },
      h(
        "div",
        { class: "room-whose" },
        h(Whose, { live, t, value: whose, onValue: setWhose }),
        h(When, { t, value: when, onValue: setWhen }),
      ),
      when === "own" &&
        h(
          "label",
          { class: "fault-field" },
          h("span", null, t("room.when.own.label")),
          h("textarea", {
            rows: 5,
            value: own,
            placeholder: EXAMPLE,
            spellcheck: false,
            maxLength: 4000,
            onInput: (/** @type {Event} */ event) => setOwn(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value),
          }),
          h("span", { class: "fine" }, t("room.when.own.hint")),
        ),
    ),
  );
}

/** @param {{live: import("./live.js").Live, t: import("./words.js").T, value: string, onValue: (value: string) => void}} props */
function Whose({ live, t, value, onValue }) {
  const rows = [...live.rows.value.values()].sort((a, b) => a.name.localeCompare(b.name));
  const groups = groupsOf(rows).filter(Boolean);
  return h(
    "div",
    { class: "fault-field" },
    h("label", { for: "room-whose" }, t("room.whose")),
    h(
      "select",
      {
        id: "room-whose",
        value,
        onChange: (/** @type {Event} */ event) => onValue(/** @type {HTMLSelectElement} */ (event.currentTarget).value),
      },
      h("option", { value: "all" }, t("room.target.all")),
      groups.length > 0 &&
        h(
          "optgroup",
          { label: t("room.column.group") },
          groups.map((group) => h("option", { key: group, value: `group ${group}` }, group)),
        ),
      rows.length > 0 &&
        h(
          "optgroup",
          { label: t("room.target.one") },
          rows.map((row) => h("option", { key: row.member, value: `member ${row.member}` }, row.name)),
        ),
    ),
  );
}

/** @param {{t: import("./words.js").T, value: string, onValue: (value: string) => void}} props */
function When({ t, value, onValue }) {
  return h(
    "div",
    { class: "fault-field" },
    h("label", { for: "room-when" }, t("room.when")),
    h(
      "select",
      {
        id: "room-when",
        value,
        onChange: (/** @type {Event} */ event) => onValue(/** @type {HTMLSelectElement} */ (event.currentTarget).value),
      },
      h("option", { value: "now" }, t("room.when.now")),
      BEYOND_NOW.map((name) => h("option", { key: name, value: name }, t(`room.when.${name}`))),
    ),
  );
}

/** What a choice of the form means. @param {string} whose @returns {Targets} */
export function targetsOf(whose) {
  if (whose.startsWith("group ")) return { group: whose.slice("group ".length) };
  if (whose.startsWith("member ")) return { member: Number(whose.slice("member ".length)) };
  return { all: true };
}
