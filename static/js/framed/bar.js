/** What stands below the diagram in a frame: step, play, and the way to the whole page. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { addressOf } from "../sharing/address.js";
import { createFrame, speak } from "./frame.js";

/** Have a run begin and end as its frame's address says, and hear who holds the frame. @param {import("../app.js").App} app @param {import("../sharing/address.js").Place} place */
export function startFrame(app, place) {
  const frame = createFrame({ store: app.store, actions: app.actions, place });
  speak(frame, app);
  return h(Bar, { app, frame });
}

/** @param {{app: import("../app.js").App, frame: import("./frame.js").Frame}} props */
function Bar({ app, frame }) {
  const { t, language } = app.strings;
  const playing = frame.playing.value;
  const button = (/** @type {string} */ icon, /** @type {string} */ label, /** @type {() => void} */ onClick, disabled = false) =>
    h("button", { type: "button", class: "ghost", title: label, "aria-label": label, onClick, disabled }, h(Icon, { name: icon }));
  return h(
    "section",
    { class: "frame-bar pane", "aria-label": t("transport.label") },
    button("back", t("transport.back"), () => frame.step(-1), !frame.before.value),
    button(
      playing ? "pause" : "play",
      t(playing ? "frame.pause" : "frame.play"),
      playing ? frame.pause : () => frame.play(),
      !frame.next.value,
    ),
    button("forward", t("transport.forward"), () => frame.step(1), !frame.next.value),
    h("span", { class: "seq" }, `#${frame.position.value.seq}`),
    h("span", { class: "bar-space" }),
    h(
      "a",
      {
        class: "frame-whole",
        href: `/shared/${app.store.cluster.value.id}/${addressOf(app.store, language.value)}`,
        target: "_blank",
        rel: "noopener",
      },
      t("frame.whole"),
    ),
  );
}
