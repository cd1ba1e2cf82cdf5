/** What each component has been told of each resource by its watches, beside what etcd holds. */
import { h } from "preact";
import { nameOf, resourceOf, watchedOf } from "./facts.js";
import { ObjectLink } from "./objects.js";
import { Seq, Sign } from "./table.js";

/** @typedef {import("./facts.js").Belief} Belief */

const DIFFERENCES = 6;

/** @param {import("./pane.js").ViewProps} props */
export function Beliefs({ app, data, marks }) {
  const { t, name } = app.strings;
  const who = /** @type {{participant: string, resources: Belief[]}[]} */ (data.who);
  const differing = who.flatMap(({ participant, resources }) =>
    resources.flatMap((one) => one.differs.map((difference) => ({ participant, one, difference }))),
  );
  if (who.length === 0) return h("p", { class: "empty" }, t("state.empty.beliefs"));
  return h(
    "div",
    { class: "state-beliefs" },
    h(
      "p",
      { class: differing.length ? "state-unequal" : "state-none" },
      t(differing.length ? "state.differ" : "state.agree", { count: differing.length }),
    ),
    differing.length > 0 &&
      h(
        "div",
        { class: "state-scroll" },
        h(
          "table",
          { class: "state-table" },
          h("caption", { class: "visually-hidden" }, t("state.caption.differences")),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              ["state.object", "state.who", "state.believes", "state.etcd", "state.unheard"].map((key) =>
                h("th", { key, scope: "col" }, t(key)),
              ),
            ),
          ),
          h(
            "tbody",
            null,
            differing
              .slice(0, DIFFERENCES)
              .map(({ participant, one, difference }) =>
                h(
                  "tr",
                  { key: `${participant} ${watchedOf(one)} ${nameOf(difference)}`, class: "unequal" },
                  h(
                    "th",
                    { scope: "row" },
                    h("b", { class: "state-sign", "aria-hidden": "true" }, "≠"),
                    h(ObjectLink, { app, resource: resourceOf(one), one: difference }),
                  ),
                  h("td", null, name(participant)),
                  h("td", null, difference.believes ?? t("state.nothing")),
                  h("td", null, difference.etcd ?? t("state.nothing")),
                  h("td", null, difference.seq ? h(Seq, { app, seq: difference.seq }) : "–"),
                ),
              ),
          ),
        ),
        differing.length > DIFFERENCES && h("p", { class: "state-more" }, t("state.rest", { count: differing.length - DIFFERENCES })),
      ),
    h(
      "ul",
      { class: "state-caches" },
      who.map(({ participant, resources }) =>
        h(
          "li",
          { key: participant },
          h("h3", null, name(participant)),
          h(
            "p",
            null,
            resources.map((one) => [
              h(Sign, {
                app,
                key: `sign ${watchedOf(one)}`,
                mark: marks.get(`${participant}/${watchedOf(one)}`) ?? null,
              }),
              h(
                "button",
                {
                  key: watchedOf(one),
                  type: "button",
                  class: `object-link${one.differs.length ? " unequal" : ""}`,
                  title: `${watchedOf(one)}: ${t("state.watch", { seq: one.from })}`,
                  onClick: () => app.state.leadTo(() => app.actions.reveal(one.from)),
                },
                `${one.differs.length ? "≠ " : ""}${one.namespace ? `${one.namespace}/` : ""}${one.resource} ${one.count}`,
              ),
            ]),
          ),
        ),
      ),
    ),
  );
}
