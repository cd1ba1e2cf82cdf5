/** "What if": a branch from where the reader stands, and the tree of the runs that there are. */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clock } from "../format.js";
import { Icon } from "../icons.js";
import { Refusal, post } from "../post.js";
import { besideOf, treeOf } from "./tree.js";

/** @typedef {{app: import("../app.js").App}} Props */
/** @typedef {import("./tree.js").Node} Node */

const NAME_MAX = 60;
const focus = (/** @type {HTMLElement | null} */ box) => box?.focus();

/** @param {Props} props */
export function Panel({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const [runs, setRuns] = useState(/** @type {import("./tree.js").Run[] | null} */ (null));
  const [busy, setBusy] = useState(false);
  const here = store.shown.value;
  const entry = store.log.get(here);
  const at = { seq: here, time: clock(entry?.arrived ?? entry?.at ?? 0, 2) };
  const may = store.may("branch");

  const load = () =>
    fetch(app.urls.branches)
      .then((response) => response.json())
      .then((answer) => setRuns(answer.runs))
      .catch(() => app.toast(t("lesson.offline")));
  useEffect(() => void load(), []);

  /** Ask the server for something; what it refuses is said. @param {string} path @param {Record<string, string>} form @param {(answer: any) => void} then */
  async function ask(path, form, then) {
    setBusy(true);
    try {
      then(await post(path, form));
    } catch (problem) {
      app.toast(problem instanceof Refusal ? problem.message : t("lesson.offline"));
    }
    setBusy(false);
  }
  const branch = () => ask(app.urls.branches, { at: String(here) }, (answer) => location.assign(answer.url));
  const name = (/** @type {Node} */ node, /** @type {string} */ text) => ask(`${node.url}name/`, { name: text }, load);
  const remove = (/** @type {Node} */ node) => ask(`${node.url}delete/`, {}, (answer) => (node.me ? location.assign(answer.url) : load()));

  return [
    h("p", { key: "text" }, t("branches.text")),
    h(
      "button",
      { key: "here", type: "button", class: "button primary", disabled: busy || !may || here === 0, onClick: branch },
      h(Icon, { name: "branch", size: 16 }),
      t("branches.here", at),
    ),
    h("p", { key: "instants", class: "fine" }, t(may ? "branches.instants" : "branches.notYours")),
    runs &&
      (runs.length > 1
        ? h(Runs, { key: "runs", app, nodes: treeOf(runs), busy, name, remove })
        : h("p", { key: "none", class: "fine" }, t("branches.none"))),
  ];
}

/** @param {Props & {nodes: Node[], busy: boolean, name: (node: Node, text: string) => void, remove: (node: Node) => void}} props */
function Runs({ app, nodes, ...rest }) {
  return h(
    "ul",
    { class: "runs", "aria-label": nodes[0].branches.length ? app.strings.t("branches.tree") : undefined },
    nodes.map((node) =>
      h(
        "li",
        { key: node.id },
        h(RunLine, { app, node, ...rest }),
        node.branches.length > 0 && h(Runs, { app, nodes: node.branches, ...rest }),
      ),
    ),
  );
}

/** @param {Props & {node: Node, busy: boolean, name: (node: Node, text: string) => void, remove: (node: Node) => void}} props */
function RunLine({ app, node, busy, name, remove }) {
  const { t } = app.strings;
  const [doing, setDoing] = useState(/** @type {"" | "naming" | "deleting"} */ (""));
  const called = node.name || (node.number ? t("branches.unnamed", { count: node.number }) : t("branches.original"));
  const said = [
    node.at !== null && t("branches.left", { seq: node.seq ?? 0, time: clock(node.at, 2) }),
    node.at !== null && node.parent === null && t("branches.orphan"),
    node.same === false && t("branches.differs", { seq: node.seq ?? 0 }),
    t(node.state === "suspended" ? "branches.asleep" : `health.${node.state}`),
  ];
  const button = (/** @type {string} */ icon, /** @type {string} */ label, /** @type {() => void} */ onClick) =>
    h(
      "button",
      { type: "button", class: "ghost small", disabled: busy, title: label, "aria-label": `${label}: ${called}`, onClick },
      h(Icon, { name: icon, size: 15 }),
    );
  const may = app.store.may("branch");
  return h(
    "div",
    { class: `run-line${node.me ? " me" : ""}` },
    h(
      "div",
      { class: "run-facts" },
      doing === "naming"
        ? h("input", {
            class: "bookmark-note",
            type: "text",
            defaultValue: node.name, // what is typed stays, though time goes on around it
            maxLength: NAME_MAX,
            "aria-label": t("branches.name"),
            autocomplete: "off",
            ref: focus,
            onKeyDown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && /** @type {HTMLElement} */ (event.target).blur(),
            onBlur: (/** @type {Event} */ event) => {
              setDoing("");
              name(node, /** @type {HTMLInputElement} */ (event.currentTarget).value);
            },
          })
        : node.me
          ? h("b", { "aria-current": "true" }, called, h("span", { class: "badge" }, t("branches.me")))
          : [
              h("a", { href: node.url }, called),
              h(
                "a",
                { class: "fine", href: besideOf(app.store.cluster.value.id, node), "aria-label": `${t("branches.beside")}: ${called}` },
                t("branches.beside"),
              ),
            ],
      h("span", { class: "fine" }, said.filter(Boolean).join(" · ")),
    ),
    may &&
      (doing === "deleting"
        ? h(
            "button",
            { type: "button", class: "button small danger", disabled: busy, onClick: () => remove(node), onBlur: () => setDoing("") },
            t("branches.sure"),
          )
        : h(
            "div",
            { class: "run-tools" },
            button("pencil", t("branches.rename"), () => setDoing("naming")),
            node.number > 0 && button("trash", t("branches.delete"), () => setDoing("deleting")),
          )),
  );
}
