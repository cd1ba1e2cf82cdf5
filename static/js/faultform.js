/**
 * The form that breaks something: which fault, where, when, for how long. Used by the playground's "Break something"
 * and by an instructor's console; what is sent where is the caller's.
 *
 *     h(FaultForm, { faults, cast, strings, onSubmit })
 *
 * - `faults`: what `GET /faults/` answers; `cast`: whom they may be aimed at (lanes.js).
 * - `strings`: the page's (strings.js), with the `fault.*` words of both languages.
 * - `onSubmit(record)`: a record as `cluster_engine.faults.read` takes it. May give a promise of a message: what the
 *   server would not do, said in the form. Nothing, or null, is success.
 * - `about(name)` (optional) stands below the chosen fault's description: more about it.
 * - `children` (optional) stands above the button: what else the caller asks for, such as whom it concerns.
 * - `action` (optional): the button's words instead of "Break it".
 *
 * Styles: static/css/faults.css. The form keeps what was typed when the server refuses it.
 */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { askedFields, choicesOf, firstValues, grouped, keptValues, lasts, problemsOf, recordOf } from "./faults.js";
import { Icon } from "./icons.js";

/** @typedef {import("./strings.js").Strings} Strings */
/**
 * @typedef {{faults: readonly import("./faults.js").Fault[], cast: import("./lanes.js").Cast, strings: Strings,
 *   onSubmit: (record: Record<string, any>) => Promise<string | null | void> | string | null | void, about?: (name: string) => any, children?: any, action?: string}} Props
 */

/** @param {Props} props */
export function FaultForm({ faults, cast, strings, onSubmit, about, children, action }) {
  const { t } = strings;
  const [name, setName] = useState(faults[0]?.name ?? "");
  const fault = faults.find((one) => one.name === name) ?? faults[0];
  const [values, setValues] = useState(() => (fault ? firstValues(fault, cast) : {}));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const castKey = [...cast.hosts, ...cast.components].join(" ");
  const begin = (/** @type {import("./faults.js").Fault | undefined} */ chosen) => {
    if (chosen) setValues(firstValues(chosen, cast));
    setTried(false);
    setRefusal("");
  };
  useEffect(() => {
    if (fault) setValues((before) => keptValues(fault, before, cast));
  }, [castKey]);
  // With the fault, not after it: what is filled in next would be overwritten.
  const choose = (/** @type {string} */ chosen) => {
    setName(chosen);
    begin(faults.find((one) => one.name === chosen));
  };
  if (!fault) return h("p", { class: "fine" }, t("fault.none"));
  const problems = problemsOf(fault, values, cast);
  const set = (/** @type {string} */ field) => (/** @type {string} */ text) => {
    setValues({ ...values, [field]: text });
    setRefusal("");
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setTried(true);
    const first = Object.keys(problems)[0];
    if (first || busy) return first && document.getElementById(`fault-${first}`)?.focus();
    setBusy(true);
    const message = await onSubmit(recordOf(fault, values));
    setBusy(false);
    setRefusal(message || "");
    if (!message) setTried(false);
  };
  const shown = (/** @type {string} */ field) => (tried && problems[field] ? t(problems[field].key, problems[field].values) : "");
  return h(
    "form",
    { class: "fault-form", noValidate: true, onSubmit: submit },
    h(Choice, { faults, strings, name: fault.name, onChoose: choose }),
    h(
      "div",
      { class: "fault-fields" },
      h("h3", null, t(`fault.${fault.name}.name`)),
      h("p", { class: "fault-text" }, t(`fault.${fault.name}.text`)),
      about?.(fault.name),
      askedFields(fault).map((field) =>
        h(Input, {
          key: `${fault.name}-${field.name}`,
          fault: fault.name,
          field,
          cast,
          strings,
          value: values[field.name] ?? "",
          problem: shown(field.name),
          onValue: set(field.name),
        }),
      ),
      h(
        "div",
        { class: "fault-times" },
        h(Seconds, {
          name: "delay",
          strings,
          value: values.delay ?? "",
          problem: shown("delay"),
          onValue: set("delay"),
          empty: t("fault.now"),
        }),
        lasts(fault)
          ? h(Seconds, {
              name: "duration",
              strings,
              value: values.duration ?? "",
              problem: shown("duration"),
              onValue: set("duration"),
              empty: t("fault.untilHealed"),
            })
          : h("p", { class: "fine" }, t("fault.atOnce")),
      ),
      children,
      h(
        "div",
        { class: "fault-send" },
        h(
          "button",
          { type: "submit", class: "button danger", disabled: busy },
          h(Icon, { name: "bolt", size: 16 }),
          action ?? t("fault.inject"),
        ),
        h("p", { role: "alert", class: "fault-refusal" }, refusal && [h(Icon, { name: "warning", size: 15 }), refusal]),
      ),
    ),
  );
}

/** The list of faults, by group. @param {{faults: Props["faults"], strings: Strings, name: string, onChoose: (name: string) => void}} props */
function Choice({ faults, strings: { t }, name, onChoose }) {
  return h(
    "div",
    { class: "fault-choice", role: "radiogroup", "aria-label": t("fault.which") },
    grouped(faults).map(({ group, faults: members }) =>
      h(
        "fieldset",
        { key: group },
        h("legend", null, t(`fault.group.${group}`)),
        members.map((fault) =>
          h(
            "label",
            { key: fault.name, class: `fault-option${fault.name === name ? " chosen" : ""}` },
            h("input", {
              type: "radio",
              name: "fault",
              value: fault.name,
              checked: fault.name === name,
              onChange: () => onChoose(fault.name),
            }),
            h(
              "span",
              null,
              h("b", null, t(`fault.${fault.name}.name`)),
              h("span", { class: "fault-short" }, t(`fault.${fault.name}.text`)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {{fault: string, field: import("./faults.js").Field, cast: import("./lanes.js").Cast, strings: Strings, value: string, problem: string, onValue: (text: string) => void}} props */
function Input({ fault, field, cast, strings: { t }, value, problem, onValue }) {
  const id = `fault-${field.name}`;
  const choices = choicesOf(field, cast);
  const told = { id, "aria-invalid": problem ? "true" : undefined, "aria-describedby": problem ? `${id}-problem` : undefined };
  const onInput = (/** @type {Event} */ event) => onValue(/** @type {HTMLInputElement} */ (event.currentTarget).value);
  return h(
    "div",
    { class: "fault-field" },
    h("label", { for: id }, t(`fault.field.${field.name}`)),
    choices
      ? h(
          "select",
          { ...told, value, onChange: onInput },
          choices.map((choice) =>
            h("option", { key: choice, value: choice }, field.type === "choice" ? t(`fault.choice.${choice}`) : choice),
          ),
        )
      : h("input", {
          ...told,
          type: "text",
          inputMode: field.type === "number" ? "decimal" : undefined,
          value,
          autocomplete: "off",
          spellcheck: false,
          onInput,
        }),
    field.type === "text" && field.name === "target" && h("p", { class: "fine" }, t(`fault.hint.${fault}`)),
    problem && h("p", { class: "fault-problem", id: `${id}-problem` }, problem),
  );
}

/** @param {{name: string, strings: Strings, value: string, problem: string, empty: string, onValue: (text: string) => void}} props */
function Seconds({ name, strings: { t }, value, problem, empty, onValue }) {
  const id = `fault-${name}`;
  return h(
    "div",
    { class: "fault-field" },
    h("label", { for: id }, t(`fault.field.${name}`)),
    h(
      "span",
      { class: "fault-seconds" },
      h("input", {
        id,
        type: "text",
        inputMode: "decimal",
        value,
        placeholder: empty,
        autocomplete: "off",
        "aria-invalid": problem ? "true" : undefined,
        "aria-describedby": problem ? `${id}-problem` : undefined,
        onInput: (/** @type {Event} */ event) => onValue(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      }),
      h("span", { "aria-hidden": "true" }, "s"),
    ),
    problem && h("p", { class: "fault-problem", id: `${id}-problem` }, problem),
  );
}
