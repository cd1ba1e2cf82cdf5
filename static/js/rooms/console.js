/** What the instructor's console knows and can do; page.js draws it. */
import { effect, signal } from "@preact/signals-core";
import { NOBODY, withMachines } from "../lanes.js";
import { createAnnouncer } from "./announcer.js";
import { newsOf } from "./board.js";
import { createBreaking } from "./breaking.js";
import { createLive } from "./live.js";

/** @typedef {import("./live.js").Row} Row */
/** @typedef {{title: string, text: string, yes: string, run: () => void}} Question */
/** @typedef {ReturnType<typeof createConsole>} Console */

/** @param {{place: HTMLElement, strings: import("../strings.js").Strings}} options */
export function createConsole({ place, strings }) {
  const { t } = strings;
  const data = place.dataset;
  const said = signal("");
  const question = signal(/** @type {Question | null} */ (null));
  const announcer = createAnnouncer({ t });
  const live = createLive({
    url: new URL(data.socket ?? "", location.href.replace(/^http/, "ws")).href,
    onAnswer: (frame) => {
      if (!breaking.hear(frame) && frame.type === "error") said.value = frame.message;
    },
  });
  const breaking = createBreaking({ send: live.send, t, newId });

  /** @type {ReadonlyMap<number, Row>} */
  let before = new Map();
  effect(() => {
    const rows = live.rows.value;
    announcer.hear(newsOf(before, rows));
    before = rows;
  });

  /** @param {"close" | "delete"} what */
  function ask(what) {
    const form = /** @type {HTMLFormElement | null} */ (document.getElementById(`${what}-room`));
    question.value = { title: t(`room.${what}`), text: t(`room.${what}.text`), yes: t(`room.${what}`), run: () => form?.requestSubmit() };
  }

  const cast = signal(/** @type {import("../lanes.js").Cast} */ (readData("cast-data", NOBODY)));

  return {
    live,
    strings,
    breaking,
    said,
    question,
    announcer,
    ask,
    data,
    faults: readData("faults-data", []),
    /** Whom a fault may be aimed at. */
    cast,
    /** Look which machines were switched on since; without an answer there are none. */
    async lookForMachines() {
      const answer = await fetch(data.workers ?? "", { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      const { workers } = /** @type {{workers: string[]}} */ (await answer.json());
      const known = cast.peek();
      const newcomers = workers.filter((one) => !known.workers.includes(one));
      if (newcomers.length > 0) cast.value = withMachines(known, newcomers);
    },
    beats: readData("beats-data", {}),
    rowActions: {
      /** @param {Row} row */
      onHandDown: (row) => {
        live.send({ type: "help", member: row.member, on: false });
      },
      /** Heal whatever is broken in this cluster, whomever it was aimed at. @param {Row} row */
      onHeal: (row) => {
        live.send({ type: "heal", targets: { member: row.member } });
      },
      /** @param {Row} row */
      onForget(row) {
        const run = () => {
          const form = /** @type {HTMLFormElement} */ (document.getElementById("forget-member"));
          form.action = (data.forget ?? "").replace("/0/", `/${row.member}/`);
          form.requestSubmit();
        };
        question.value = { title: t("room.forget.title", { name: row.name }), text: t("room.forget.text"), yes: t("room.forget"), run };
      },
    },
  };
}

/** @param {string} id @param {any} otherwise */
function readData(id, otherwise) {
  const text = document.getElementById(id)?.textContent;
  return text ? JSON.parse(text) : otherwise;
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
