/** What a tab shows while a detail is on its way, or did not come. */
import { h } from "preact";

/** @param {{app: import("../app.js").App, entry: import("../log.js").Entry, show: (detail: import("../details.js").Detail) => any}} props */
export function Loaded({ app, entry, show }) {
  const { t } = app.strings;
  const loaded = app.details.of(entry.seq).value;
  if (loaded.state === "loading") return h("p", { class: "empty", role: "status" }, t("loaded.loading"));
  if (loaded.state === "absent") return h("p", { class: "empty" }, t("loaded.absent"));
  if (loaded.state === "failed" || !loaded.detail)
    return h("p", { class: "empty", role: "alert" }, t("loaded.failed", { message: loaded.message }));
  return show(loaded.detail);
}
