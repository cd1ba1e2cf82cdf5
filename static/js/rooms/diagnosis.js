/**
 * "Something is wrong!": what a learner says of a fault that somebody else put into their cluster.
 *
 * Saying so is the first half (noticed, or a false alarm); naming the fault and its place is the second. The server
 * judges both; the page only knows what it was answered.
 */
import { h } from "preact";
import { useState } from "preact/hooks";
import { signal } from "@preact/signals-core";
import { choicesOf, grouped } from "../faults.js";
import { Icon } from "../icons.js";
import { Dialog } from "./dialog.js";

/** @typedef {import("../faults.js").Fault} Fault */
/** @typedef {ReturnType<typeof createDiagnosis>} Diagnosis */

/** @param {{send: (frame: import("../connection.js").Frame) => boolean, fetchFaults?: () => Promise<Fault[]>}} options */
export function createDiagnosis({ send, fetchFaults = loadFaults }) {
  const open = signal(false);
  /** What the server said of the alarm. */
  const alarm = signal(/** @type {"asked" | "false" | "noticed" | "offline"} */ ("asked"));
  const verdict = signal(/** @type {{right: boolean, tries: number} | null} */ (null));
  const asked = signal(false);
  const faults = signal(/** @type {Fault[]} */ ([]));

  return {
    open,
    alarm,
    verdict,
    asked,
    faults,
    async begin() {
      open.value = true;
      verdict.value = null;
      asked.value = false;
      alarm.value = send({ type: "notice" }) ? "asked" : "offline";
      if (!faults.peek().length) faults.value = await fetchFaults().catch(() => []);
    },
    /** @param {string} fault @param {string} target */
    diagnose(fault, target) {
      verdict.value = null;
      asked.value = send({ type: "diagnose", fault, target });
      if (!asked.peek()) alarm.value = "offline";
    },
    /** @param {import("../connection.js").Frame} frame */
    hear(frame) {
      if (frame.type === "noticed") alarm.value = frame.false ? "false" : "noticed";
      if (frame.type === "diagnosis") verdict.value = { right: frame.right, tries: frame.tries };
      if (frame.type === "diagnosis" || frame.type === "error") asked.value = false;
    },
    close() {
      open.value = false;
    },
  };
}

async function loadFaults() {
  const answer = await (await fetch("/faults/", { headers: { Accept: "application/json" } })).json();
  return Array.isArray(answer) ? answer : answer.faults;
}

/** @param {{diagnosis: Diagnosis, strings: import("../strings.js").Strings, cast: import("../lanes.js").Cast}} props */
export function DiagnosisDialog({ diagnosis, strings, cast }) {
  const { t } = strings;
  const { open, alarm, verdict, faults } = diagnosis;
  const state = alarm.value;
  return h(
    Dialog,
    { open: open.value, onClose: diagnosis.close, title: t("room.diagnosis.title"), closing: t("room.dismiss"), class: "room-diagnosis" },
    !verdict.value?.right &&
      h(
        "p",
        { role: "status", class: `room-alarm ${state}` },
        state !== "asked" && h(Icon, { name: state === "noticed" ? "check" : "warning", size: 18 }),
        t(`room.alarm.${state}`),
      ),
    state === "noticed" && !verdict.value?.right && faults.value.length > 0 && h(Form, { diagnosis, faults: faults.value, strings, cast }),
    h(
      "p",
      { role: "alert", class: verdict.value ? `room-verdict ${verdict.value.right ? "right" : "wrong"}` : "" },
      verdict.value && [
        h(Icon, { key: "i", name: verdict.value.right ? "check" : "close", size: 18 }),
        t(verdict.value.right ? "room.verdict.right" : "room.verdict.wrong", { count: verdict.value.tries }),
      ],
    ),
  );
}

/** @param {{diagnosis: Diagnosis, faults: Fault[], strings: import("../strings.js").Strings, cast: import("../lanes.js").Cast}} props */
function Form({ diagnosis, faults, strings: { t }, cast }) {
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const fault = faults.find((one) => one.name === name);
  const field = fault?.fields.find((one) => one.name === "target");
  const places = field ? choicesOf(field, cast) : null;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (name && target.trim()) diagnosis.diagnose(name, target.trim());
  };
  const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;
  const choose = (/** @type {Event} */ event) => {
    setName(value(event));
    setTarget("");
  };
  return h(
    "form",
    { class: "room-form", onSubmit: submit },
    h(
      "label",
      null,
      h("span", null, t("room.diagnosis.what")),
      h(
        "select",
        { value: name, onChange: choose, required: true },
        h("option", { value: "", disabled: true }, t("room.diagnosis.choose")),
        grouped(faults).map((group) =>
          h(
            "optgroup",
            { key: group.group, label: t(`fault.group.${group.group}`) },
            group.faults.map((one) => h("option", { key: one.name, value: one.name }, t(`fault.${one.name}.name`))),
          ),
        ),
      ),
    ),
    h(
      "label",
      null,
      h("span", null, t("room.diagnosis.where")),
      places || !fault
        ? h(
            "select",
            {
              key: name,
              value: target,
              disabled: !fault,
              required: true,
              onChange: (/** @type {Event} */ event) => setTarget(value(event)),
            },
            h("option", { value: "", disabled: true, selected: !target }, t("room.diagnosis.choose")),
            (places ?? []).map((place) => h("option", { key: place, value: place }, place)),
          )
        : h("input", {
            key: name,
            type: "text",
            value: target,
            maxLength: 256,
            autocomplete: "off",
            spellcheck: false,
            required: true,
            onInput: (/** @type {Event} */ event) => setTarget(value(event)),
          }),
    ),
    h("button", { type: "submit", class: "button primary", disabled: diagnosis.asked.value }, t("room.diagnosis.answer")),
  );
}
