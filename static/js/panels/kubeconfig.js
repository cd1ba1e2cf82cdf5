/** How the reader's own kubectl joins the cluster: a file, and two lines to paste. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { Copy } from "./copy.js";

/** @param {{app: import("../app.js").App}} props */
export function Kubeconfig({ app }) {
  const { t } = app.strings;
  const file = "glassplane.kubeconfig";
  const lines = `export KUBECONFIG=~/Downloads/${file}\nkubectl get nodes`;
  return [
    h("h2", null, t("kubeconfig.title")),
    h("p", null, t("kubeconfig.text")),
    h(
      "a",
      { class: "button primary", href: app.urls.kubeconfig, download: file },
      h(Icon, { name: "download", size: 16 }),
      t("kubeconfig.download"),
    ),
    h("div", { class: "paste" }, h("pre", { tabIndex: 0, "aria-label": t("kubeconfig.lines") }, lines), h(Copy, { app, text: lines })),
    h("p", { class: "fine" }, t("kubeconfig.note")),
  ];
}
