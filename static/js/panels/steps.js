/** Steps by meaning: through a conversation, and to the next and the previous of a kind. What the keys do, with a pointer. */
import { h } from "preact";
import { STEPS } from "../conversation.js";
import { Icon } from "../icons.js";
import { PATHS } from "../keys.js";

/** @param {{app: import("../app.js").App}} props */
export function Steps({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const key = (/** @type {string} */ name) => app.keys.list.find((binding) => binding.name === name)?.keys.join(", ") ?? "";
  const seek = (/** @type {import("../following.js").Path} */ path, /** @type {1 | -1} */ by) => () => {
    if (!app.actions.seek(path, by)) app.toast(t("follow.none"));
  };
  return [
    h("h2", null, t("step.title")),
    h("p", null, t("step.text")),
    h(
      "div",
      { class: "breaks-run steps-through", role: "group", "aria-label": t("step.through") },
      STEPS.map((step) =>
        h(
          "button",
          { key: step, type: "button", class: "button", title: t(`keys.step.${step}`), onClick: () => app.stepThrough(step) },
          t(`step.${step}`),
          " ",
          store.shortcuts.value && h("kbd", { "aria-hidden": "true" }, key(`step.${step}`)),
        ),
      ),
    ),
    h(
      "ul",
      { class: "steps-paths" },
      PATHS.map(([, path]) =>
        h(
          "li",
          { key: path },
          h("span", null, t(`step.path.${path}`), " ", store.shortcuts.value && h("kbd", { "aria-hidden": "true" }, key(`seek.${path}`))),
          h(Way, { icon: "up", label: t(`step.previous.${path}`), onClick: seek(path, -1) }),
          h(Way, { icon: "down", label: t(`step.next.${path}`), onClick: seek(path, 1) }),
        ),
      ),
    ),
  ];
}

/** @param {{icon: string, label: string, onClick: () => void}} props */
const Way = ({ icon, label, onClick }) =>
  h("button", { type: "button", class: "ghost", title: label, "aria-label": label, onClick }, h(Icon, { name: icon, size: 16 }));
