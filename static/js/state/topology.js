/** Hosts with the programs that run on them, and every connection that is open; one click shows its messages only. */
import { h } from "preact";
import { useState } from "preact/hooks";
import { size } from "../format.js";
import { Sign, Table } from "./table.js";

/** @typedef {import("./facts.js").Connection} Connection */

/** @param {import("./pane.js").ViewProps} props */
export function Topology({ app, data, marks }) {
  const { t, name, language } = app.strings;
  /** The program whose connections are shown; "": everybody's. */
  const [only, setOnly] = useState("");
  const connections = /** @type {Connection[]} */ (data.connections).filter((one) => !only || one.from === only || one.to === only);
  const bytes = (/** @type {number} */ n) => size(n, language.value);
  return h(
    "div",
    { class: "state-topology" },
    data.hosts.length > 0 &&
      h(
        "ul",
        { class: "state-hosts", "aria-label": t("state.hosts") },
        data.hosts.map((/** @type {any} */ host) =>
          h(
            "li",
            { key: host.name, class: host.up ? "" : "down" },
            h(
              "p",
              null,
              h(Sign, { app, mark: marks.get(`hosts/${host.name}`) ?? null }),
              h("b", null, host.name),
              ` ${host.address}${host.up ? "" : ` · ${t("state.host.down")}`}`,
            ),
            h(
              "div",
              { class: "state-kinds" },
              host.programs.map((/** @type {any} */ one) => {
                const mark = marks.get(`programs/${one.participant}/${one.pid}`);
                return h(
                  "button",
                  {
                    key: one.pid,
                    type: "button",
                    "aria-pressed": String(only === one.participant),
                    title: t("state.program", { pid: one.pid, name: one.participant }),
                    onClick: () => setOnly(only === one.participant ? "" : one.participant),
                  },
                  `${mark ? `${mark.sign} ` : ""}${one.participant.slice(one.participant.lastIndexOf("/") + 1)}`,
                );
              }),
            ),
          ),
        ),
      ),
    h("h3", null, t(only ? "state.connections.of" : "state.connections", { total: connections.length, name: name(only || "/") })),
    connections.length === 0 && h("p", { class: "state-none" }, t("state.none")),
    connections.length > 0 &&
      h(Table, {
        app,
        caption: t("state.caption.connections"),
        heads: [t("state.connection"), t("state.identity"), t("state.bytes")],
        rows: connections,
        marks,
        keyOf: (/** @type {Connection} */ one) => `connections/${one.connection}`,
        head: (/** @type {Connection} */ one) => [
          h(ConnectionLink, { app, number: one.connection, text: `${name(one.from)} → ${name(one.to)}:${one.port}` }),
          h("span", { class: "fine" }, one.protocol),
        ],
        cells: (/** @type {Connection} */ one) => [
          { text: one.identity ?? "–", label: "identity" },
          { text: `↑ ${bytes(one.sent)}\n↓ ${bytes(one.received)}`, label: "sent", class: "as-is" },
        ],
        seqOf: (/** @type {Connection} */ one) => one.last,
      }),
  );
}

/** A connection: pressing it shows its messages only. @param {{app: import("../app.js").App, number: number, text?: string}} props */
export const ConnectionLink = ({ app, number, text = String(number) }) =>
  h(
    "button",
    {
      type: "button",
      class: "object-link",
      title: app.strings.t("state.filter.connection", { number }),
      "aria-label": text === String(number) ? app.strings.t("state.filter.connection", { number }) : undefined,
      onClick: () => app.state.leadTo(() => app.actions.filter(`connection:${number}`)),
    },
    text,
  );
