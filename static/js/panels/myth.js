/**
 * Myth and wire: the drawing that is often seen beside what was captured here, message by message. The two differ by
 * caption, frame and line as well as by colour.
 */
import { h } from "preact";
import { Dialog } from "../dialog.js";
import { duration } from "../format.js";
import { Icon } from "../icons.js";
import { captured, laneLines, sequence } from "../lesson/sequence.js";
import { optionOf, titleOf } from "../lesson/prose.js";
import { Prose } from "./prose.js";

/** @typedef {{app: import("../app.js").App}} Props */

const LANE = 190;
const ROW = 46;
const TOP = 58;
const LETTER = 6.4;
const LANE_LETTER = 7.2;

/** @param {{app: import("../app.js").App, myth: import("../lesson/lesson.js").Myth}} props */
export function MythButton({ app, myth }) {
  const { t, language } = app.strings;
  return h(
    "button",
    {
      type: "button",
      class: "myth-open",
      "aria-haspopup": "dialog",
      onClick: () => {
        app.store.dialog.value = "myth";
      },
    },
    h("span", { class: "myth-sign" }, h(Icon, { name: "layers", size: 16 })),
    h("span", null, h("span", { class: "kicker" }, t("lesson.myth.kicker")), h("b", null, titleOf(language.value, `myth ${myth.id}`))),
    h(Icon, { name: "right", size: 16 }),
  );
}

/** @param {Props} props */
export function MythDialog({ app }) {
  const { store, strings, lesson } = app;
  const { t, language } = strings;
  const myth = lesson?.beat.value?.myth ?? null;
  const open = store.dialog.value === "myth" && myth !== null;
  const close = () => {
    if (store.dialog.peek() === "myth") store.dialog.value = null;
  };
  return h(
    Dialog,
    {
      open,
      onClose: close,
      kicker: t("lesson.myth.kicker"),
      title: myth ? titleOf(language.value, `myth ${myth.id}`) : "",
      closing: t("lesson.myth.close"),
      class: "myth",
    },
    open && lesson && [h(Pictures, { key: "p", app, myth, lesson, close }), h(Prose, { key: "t", app, section: `myth ${myth.id}` })],
  );
}

/** @param {{app: import("../app.js").App, myth: import("../lesson/lesson.js").Myth, lesson: import("../lesson/lesson.js").Lesson, close: () => void}} props */
function Pictures({ app, myth, lesson, close }) {
  const {
    store,
    strings: { t, name, language },
  } = app;
  const wire = captured(
    myth.wire,
    lesson.anchors.value,
    (seq) => store.log.get(seq),
    (seconds) => duration(seconds, language.value),
  );
  // The protocol's own words are the same everywhere; others are in the lesson's prose.
  const common = myth.common.map(({ from, to, label, says }) => ({
    from,
    to,
    label: (says ? optionOf(language.value, `myth ${myth.id}`, says)?.textContent : label) ?? "",
  }));
  const show = () => {
    close();
    app.actions.reveal(wire.entries[0].seq);
  };
  const wide = sequence(wire.messages).lanes.length > 3;
  return h(
    "div",
    { class: `myth-pictures${wide ? " wide" : ""}` },
    h(
      "figure",
      { class: "myth-common" },
      h("figcaption", null, h("span", { class: "myth-tag" }, t("lesson.myth.common")), " ", t("lesson.myth.common.more")),
      h(Sequence, { messages: common, label: t("lesson.myth.common"), name }),
    ),
    h(
      "figure",
      { class: "myth-wire" },
      h(
        "figcaption",
        null,
        h("span", { class: "myth-tag" }, h(Icon, { name: "pulse", size: 13 }), t("lesson.myth.wire")),
        " ",
        t("lesson.myth.wire.more"),
      ),
      wire.messages.length > 0 ? h(Sequence, { messages: wire.messages, label: t("lesson.myth.wire"), name }) : null,
      wire.missing > 0 && h("p", { class: "fine" }, t("lesson.myth.missing", { count: wire.missing })),
      wire.entries.length > 0 && h("button", { type: "button", class: "button", onClick: show }, t("lesson.myth.show")),
    ),
  );
}

/** @param {{messages: readonly import("../lesson/sequence.js").Message[], label: string, name: (participant: string) => string}} props */
function Sequence({ messages, label, name }) {
  const { lanes, steps } = sequence(messages);
  const names = lanes.map((lane) => laneLines(name(lane)));
  const longest = Math.max(...names.flat().map((line) => line.length)) * LANE_LETTER + 12;
  const pitch = lanes.length > 2 ? Math.max(longest, 440 / lanes.length) : LANE;
  const width = Math.max(300, pitch * lanes.length);
  const height = TOP + steps.length * ROW + 10;
  const x = (/** @type {number} */ lane) => (width / lanes.length) * (lane + 0.5);
  return h(
    "div",
    { class: "mini" },
    h(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true", focusable: "false" },
      lanes.map((lane, i) => [
        h("path", { key: `l${lane}`, class: "mini-life", d: `M${x(i)} 40V${height}` }),
        h(
          "text",
          { key: `t${lane}`, class: "mini-lane", "text-anchor": "middle" },
          names[i].map((line, n) => h("tspan", { key: n, x: x(i), y: 32 - 15 * (names[i].length - 1 - n) }, line)),
        ),
      ]),
      steps.map((step, i) => h(Arrow, { key: i, step, y: TOP + i * ROW + 26, x, width })),
    ),
    h(
      "ol",
      { class: "visually-hidden", "aria-label": label },
      messages.map((message, i) =>
        h(
          "li",
          { key: i },
          `${name(message.from)}${message.to === null ? "" : ` → ${name(message.to)}`}: ${message.label} ${message.note ?? ""}`,
        ),
      ),
    ),
  );
}

/** @param {{step: import("../lesson/sequence.js").Step, y: number, x: (lane: number) => number, width: number}} props */
function Arrow({ step, y, x, width }) {
  const [start, end] = [x(step.from), step.to < 0 ? x(step.from) : x(step.to)];
  const sign = end >= start ? 1 : -1;
  const half = (step.label.length * LETTER) / 2;
  const middle = Math.max(half + 2, Math.min(width - half - 2, (start + end) / 2));
  return h(
    "g",
    { class: "mini-step" },
    h("text", { class: "mini-label", x: middle, y: y - 9, "text-anchor": "middle" }, step.label),
    end === start
      ? h("circle", { class: "mini-head", cx: start, cy: y, r: 4 })
      : [
          h("path", { key: "l", class: "mini-line", d: `M${start} ${y}H${end - sign * 6}` }),
          h("path", { key: "h", class: "mini-head", d: `M${end} ${y}l${-sign * 8.5} -4v8z` }),
        ],
    step.note && h("text", { class: "mini-note", x: middle, y: y + 13, "text-anchor": "middle" }, step.note),
  );
}
