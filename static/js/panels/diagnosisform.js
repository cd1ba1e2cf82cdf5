/**
 * The form in which a learner says what is broken, and where. What is right is the caller's business.
 *
 *     h(DiagnosisForm, { faults, cast, strings, busy, onDiagnose: (fault, target) => … })
 *
 * - `faults`: what `GET /faults/` answers (`loadFaults`); `cast`: whom a fault may be aimed at (lanes.js).
 * - `busy`: an answer is being judged; nothing can be sent meanwhile. What was chosen stays chosen after a wrong answer.
 *
 * Styles: static/css/panels.css.
 */
import { h } from "preact";
import { useState } from "preact/hooks";
import { choicesOf, grouped } from "../faults.js";

/** @typedef {import("../faults.js").Fault} Fault */
/** @typedef {{faults: readonly Fault[], cast: import("../lanes.js").Cast, strings: import("../strings.js").Strings, busy: boolean, onDiagnose: (fault: string, target: string) => void}} Props */

/** Ask the server which faults there are. @returns {Promise<Fault[]>} */
export async function loadFaults() {
  const answer = await (await fetch("/faults/", { headers: { Accept: "application/json" } })).json();
  return Array.isArray(answer) ? answer : answer.faults;
}

/** @param {Event} event */
const textIn = (event) => /** @type {HTMLInputElement} */ (event.currentTarget).value;

/** @param {Props} props */
export function DiagnosisForm({ faults, cast, strings: { t }, busy, onDiagnose }) {
  const [name, setName] = useState("");
  const [target, setTarget] = useState("");
  const fault = faults.find((one) => one.name === name);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (name && target.trim()) onDiagnose(name, target.trim());
  };
  const choose = (/** @type {Event} */ event) => {
    setName(textIn(event));
    setTarget("");
  };
  return h(
    "form",
    { class: "diagnosis-form", onSubmit: submit },
    h(
      "label",
      null,
      h("span", null, t("diagnosis.what")),
      h(
        "select",
        { value: name, onChange: choose, required: true },
        h("option", { value: "", disabled: true }, t("diagnosis.choose")),
        grouped(faults).map((group) =>
          h(
            "optgroup",
            { key: group.group, label: t(`fault.group.${group.group}`) },
            group.faults.map((one) => h("option", { key: one.name, value: one.name }, t(`fault.${one.name}.name`))),
          ),
        ),
      ),
    ),
    h("label", null, h("span", null, t("diagnosis.where")), h(Where, { key: name, fault, cast, t, target, onTarget: setTarget })),
    h("button", { type: "submit", class: "button primary", disabled: busy }, t("diagnosis.answer")),
  );
}

/** The places that a fault may be at, or a text where there are too many to list. @param {{fault: Fault | undefined, cast: import("../lanes.js").Cast, t: import("../strings.js").Strings["t"], target: string, onTarget: (target: string) => void}} props */
function Where({ fault, cast, t, target, onTarget }) {
  const field = fault?.fields.find((one) => one.name === "target");
  const places = field ? choicesOf(field, cast) : null;
  if (fault && !places)
    return h("input", {
      type: "text",
      value: target,
      maxLength: 256,
      autocomplete: "off",
      spellcheck: false,
      required: true,
      onInput: (/** @type {Event} */ event) => onTarget(textIn(event)),
    });
  return h(
    "select",
    { value: target, disabled: !fault, required: true, onChange: (/** @type {Event} */ event) => onTarget(textIn(event)) },
    h("option", { value: "", disabled: true, selected: !target }, t("diagnosis.choose")),
    (places ?? []).map((place) => h("option", { key: place, value: place }, field?.type === "choice" ? t(`fault.choice.${place}`) : place)),
  );
}
