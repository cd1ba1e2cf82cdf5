/** The nodes with the pods that are on each, and the pods that wait for one. */
import { h } from "preact";
import { useMemo, useState } from "preact/hooks";
import { keyOf } from "./facts.js";
import { ObjectLink } from "./objects.js";
import { More, Seq, Sign, windowOf } from "./table.js";

/** @typedef {import("./facts.js").Pod} Pod */

const PODS = 10;

/** @param {import("./pane.js").ViewProps} props */
export function Board({ app, data, marks }) {
  const { t } = app.strings;
  return h(
    "div",
    { class: "state-board" },
    data.waiting.length > 0 &&
      h("section", { class: "state-node unbound" }, h("h3", null, t("state.waiting")), h(Pods, { app, pods: data.waiting, marks })),
    data.nodes.map((/** @type {any} */ node) =>
      h(
        "section",
        { key: node.name, class: "state-node" },
        h(
          "header",
          null,
          h(
            "h3",
            null,
            h(Sign, { app, mark: marks.get(`nodes//${node.name}`) ?? null }),
            h(ObjectLink, { app, resource: "nodes", one: { namespace: "", name: node.name } }),
          ),
          h("span", { class: `state-status${node.status === "Ready" ? "" : " off"}` }, node.status),
          node.seq && h(Seq, { app, seq: node.seq }),
        ),
        node.taints.length > 0 && h("p", { class: "fine" }, t("state.taints", { taints: node.taints.join(", ") })),
        node.pods.length > 0 ? h(Pods, { app, pods: node.pods, marks }) : h("p", { class: "state-none" }, t("state.nopods")),
      ),
    ),
    data.nodes.length === 0 && data.waiting.length === 0 && h("p", { class: "empty" }, t("state.empty.board")),
  );
}

/** @param {{app: import("../app.js").App, pods: Pod[], marks: import("./table.js").Marks}} props */
function Pods({ app, pods, marks }) {
  const [from, go] = useState(0);
  const seen = windowOf(pods, from, PODS);
  const markOf = (/** @type {Pod} */ pod) => marks.get(keyOf("pods", pod)) ?? null;
  return [
    h(
      "ul",
      { class: "state-pods", key: "pods" },
      seen.rows.map((pod) => h(Place, { key: keyOf("pods", pod), app, pod, mark: markOf(pod) })),
    ),
    h(More, { app, key: "more", all: pods, from: seen.start, size: PODS, go, changed: (pod) => markOf(pod) !== null }),
  ];
}

/** A pod on its node; drawn again only when it or its mark is another. @param {{app: import("../app.js").App, pod: Pod, mark: import("./changes.js").Change | null}} props */
function Place({ app, pod, mark }) {
  const { t, language } = app.strings;
  const now = language.value;
  return useMemo(() => {
    const changed = mark?.fields.find(({ label }) => label === "Status");
    return h(
      "li",
      { class: mark ? "changed" : undefined },
      h(Sign, { app, mark }),
      h(ObjectLink, { app, resource: "pods", one: pod }),
      h(
        "span",
        { class: `pod-status${changed ? " changed" : ""}`, title: changed && t("state.was", { value: changed.was || "–" }) },
        `${pod.status} ${pod.ready}${pod.restarts ? ` ${t("state.restarts", { count: pod.restarts })}` : ""}`,
      ),
      h(Seq, { app, seq: pod.seq }),
    );
  }, [pod, mark, now]);
}
