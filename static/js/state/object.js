/** One object's history: who wrote it when, what each write changed, and which of the writes stands at the cursor. */
import { h } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { aboutObject, withRest } from "../following.js";
import { clock } from "../format.js";
import { Icon } from "../icons.js";
import { around, signOf, standingAt, valueText } from "./history.js";
import { nameOf } from "./facts.js";
import { Seq } from "./table.js";

/** @typedef {import("./history.js").Version} Version */

const VERSIONS = 9;
const LINES = 14;

/** Back to the view from which it was opened. @param {import("../statepane.js").StatePane} state */
export function leave(state) {
  state.object.value = null;
  document.getElementById("state-panel")?.focus();
}

/** @param {{app: import("../app.js").App, address: import("../statepane.js").Address}} props */
export function ObjectHead({ app, address }) {
  const { t } = app.strings;
  const place = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => place.current?.focus(), [address]);
  const follow = () => app.state.leadTo(() => app.actions.filter(withRest(aboutObject(address))));
  return h(
    "div",
    { class: "state-object-head" },
    h(
      "button",
      { type: "button", class: "ghost small", onClick: () => leave(app.state), title: `${t("state.back")} (Esc)` },
      h(Icon, { name: "left", size: 14 }),
      t("state.back"),
    ),
    h("h3", { ref: place, tabIndex: -1 }, h("span", { class: "fine" }, address.resource), " ", nameOf(address)),
    h(
      "button",
      { type: "button", class: "button", onClick: follow, title: t("state.follow.title") },
      h(Icon, { name: "filter", size: 14 }),
      t("state.follow"),
    ),
  );
}

/** @param {{app: import("../app.js").App, data: any, at: number}} props */
export function ObjectHistory({ app, data, at }) {
  const { t } = app.strings;
  const versions = /** @type {Version[]} */ (data.versions);
  const standing = standingAt(versions, at);
  const { start, shown } = around(versions, standing, VERSIONS);
  const end = start + shown.length;
  const list = useRef(/** @type {HTMLOListElement | null} */ (null));
  useEffect(() => list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }), [standing]);
  const whole = useMemo(() => (data.object ? JSON.stringify(data.object, null, 2) : ""), [data.object]);
  return h(
    "div",
    { class: "state-object" },
    !data.object && h("p", { class: "state-none" }, t(data.deleted ? "state.deleted" : "state.absent", { seq: at })),
    data.asked && h("p", { class: "state-none" }, t("state.asked.object")),
    data.object &&
      h(
        "details",
        null,
        h("summary", null, t("state.whole", { seq: at })),
        h("pre", { tabIndex: 0, "aria-label": t("state.whole", { seq: at }) }, whole),
      ),
    h("h3", null, t("state.history", { total: versions.length })),
    start > 0 && h("p", { class: "state-more" }, t("state.earlier", { count: start })),
    h(
      "ol",
      { class: "state-versions", ref: list },
      shown.map((version, i) =>
        h(VersionItem, {
          key: version.seq,
          app,
          version,
          place: start + i === standing ? "here" : start + i < standing ? "before" : "ahead",
        }),
      ),
    ),
    end < versions.length && h("p", { class: "state-more" }, t("state.later", { count: versions.length - end })),
  );
}

/** @param {{app: import("../app.js").App, version: Version, place: "before" | "here" | "ahead"}} props */
function VersionItem({ app, version, place }) {
  const { t, name } = app.strings;
  const { seq, by, user, request, revision, diff } = version;
  const here = place === "here";
  const paths = diff.map(({ path }) => path);
  return h(
    "li",
    { class: place, "aria-current": here ? "step" : undefined },
    h(
      "button",
      {
        type: "button",
        class: "version",
        title: t("state.go", { seq }),
        onClick: () => app.state.leadTo(() => app.actions.standAt(seq)),
      },
      h("b", null, `${here ? "▸ " : ""}${t(`state.verb.${version.verb}`)}`),
      ` ${by || user ? t("state.by", { name: by ? name(by) : user }) : t("state.unknown")} `,
      h("span", { class: "fine" }, `#${seq} · ${clock(version.at, 3)}`),
    ),
    !here &&
      paths.length > 0 &&
      h("p", { class: "paths" }, `${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ` +${paths.length - 3}` : ""}`),
    here &&
      h(
        "p",
        { class: "fine" },
        [user && t("state.user", { user }), t("state.revision", { revision })].filter(Boolean).join(" · "),
        " ",
        request && h(Seq, { app, seq: request, label: t("state.request", { seq: request }) }),
      ),
    here && h(Diff, { app, diff }),
  );
}

/** @param {{app: import("../app.js").App, diff: import("./history.js").Line[]}} props */
function Diff({ app, diff }) {
  const { t } = app.strings;
  const [whole, setWhole] = useState(false);
  const shown = whole ? diff : diff.slice(0, LINES);
  return [
    h(
      "ul",
      { class: "diff", key: "lines", "aria-label": t("state.diff") },
      shown.map((line) => {
        const sign = signOf(line);
        return h(
          "li",
          { key: line.path, class: { "+": "added", "−": "removed", "~": "altered" }[sign] },
          `${sign}\u00a0${line.path}: `,
          line.was !== null && h("del", null, valueText(line.was)),
          line.was !== null && line.is !== null && " → ",
          line.is !== null && h("ins", null, valueText(line.is)),
        );
      }),
    ),
    diff.length > shown.length &&
      h(
        "button",
        { key: "more", type: "button", class: "ghost small", onClick: () => setWhole(true) },
        t("state.diff.more", { count: diff.length - shown.length }),
      ),
  ];
}
