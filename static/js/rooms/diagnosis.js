/**
 * "Something is wrong!": what a learner says of a fault that somebody else put into their cluster.
 *
 * Saying so is the first half (noticed, or a false alarm); naming the fault and its place is the second. The server
 * judges both; the page only knows what it was answered.
 */
import { h } from "preact";
import { signal } from "@preact/signals-core";
import { Icon } from "../icons.js";
import { DiagnosisForm, loadFaults } from "../panels/diagnosisform.js";
import { Docked } from "../panels/docked.js";

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

/** @param {{diagnosis: Diagnosis, strings: import("../strings.js").Strings, cast: import("../lanes.js").Cast}} props */
export function DiagnosisPanel({ diagnosis, strings, cast }) {
  const { t } = strings;
  const { alarm, verdict, faults } = diagnosis;
  const state = alarm.value;
  const right = Boolean(verdict.value?.right);
  return h(
    Docked,
    { title: t("room.diagnosis.title"), closing: t("room.dismiss"), onClose: diagnosis.close },
    !right &&
      h(
        "p",
        { role: "status", class: `room-alarm ${state}` },
        state !== "asked" && h(Icon, { name: state === "noticed" ? "check" : "warning", size: 18 }),
        t(`room.alarm.${state}`),
      ),
    state === "noticed" &&
      !right &&
      faults.value.length > 0 &&
      h(DiagnosisForm, { faults: faults.value, strings, cast, busy: diagnosis.asked.value, onDiagnose: diagnosis.diagnose }),
    h(
      "p",
      { role: "alert", class: verdict.value ? `room-verdict ${right ? "right" : "wrong"}` : "" },
      verdict.value && [
        h(Icon, { key: "i", name: right ? "check" : "close", size: 18 }),
        t(right ? "room.verdict.right" : "room.verdict.wrong", { count: verdict.value.tries }),
      ],
    ),
    right && h("button", { type: "button", class: "button", onClick: diagnosis.close, ref: focus }, t("room.dismiss")),
  );
}

/** The form is gone, and the focus with it. @param {HTMLElement | null} button */
const focus = (button) => button?.focus();
