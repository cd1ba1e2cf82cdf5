/** Showing this run to others: links that its owner makes, copies and takes back. */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../dialog.js";
import { Icon } from "../icons.js";
import { addressOf } from "../sharing/address.js";
import { createShares } from "../sharing/shares.js";
import { Copy } from "./copy.js";

/** @typedef {{app: import("../app.js").App}} Props */

/** @param {Props} props */
export function ShareDialog({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const open = store.dialog.value === "share";
  const [shares] = useState(() => createShares({ url: app.urls.shares, offline: () => t("lesson.offline") }));
  const close = () => {
    if (store.dialog.peek() === "share") store.dialog.value = null;
  };
  return h(Dialog, { open, onClose: close, title: t("share.title"), closing: t("help.close"), class: "share" }, h(Links, { app, shares }));
}

/** @typedef {Props & {shares: ReturnType<typeof createShares>}} WithShares */

/** @param {WithShares} props */
function Links({ app, shares }) {
  const {
    store,
    strings: { t, language },
  } = app;
  const [files, setFiles] = useState(false);
  const [here, setHere] = useState(true);
  useEffect(() => void shares.load(), []);
  const made = shares.list.value;
  const asSeen = here ? addressOf(store, language.value) : "";
  const check = (/** @type {boolean} */ checked, /** @type {(to: boolean) => void} */ set, /** @type {string} */ text) =>
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        checked,
        onChange: (/** @type {Event} */ event) => set(/** @type {HTMLInputElement} */ (event.currentTarget).checked),
      }),
      text,
    );
  return h(
    "div",
    { class: "share-body" },
    h("p", null, t("share.text")),
    h("p", { class: "share-careful" }, t("share.careful")),
    check(files, setFiles, t("share.files")),
    h(
      "button",
      { type: "button", class: "button primary", onClick: () => shares.make(files) },
      h(Icon, { name: "link", size: 16 }),
      t("share.make"),
    ),
    h("p", { class: "share-problem", role: "alert" }, shares.problem.value),
    h("h3", null, t("share.links")),
    made?.length === 0 && h("p", { class: "fine" }, t("share.none")),
    made && made.length > 0 && check(here, setHere, t("share.here")),
    h(
      "ul",
      { class: "share-links", "aria-live": "polite" },
      made?.map((share) => h(Link, { key: share.token, app, shares, share, asSeen })),
    ),
    h("p", { class: "fine" }, h("a", { href: "/shared/" }, t("share.all"))),
  );
}

/** @param {WithShares & {share: import("../sharing/shares.js").Share, asSeen: string}} props */
function Link({ app, shares, share, asSeen }) {
  const { t } = app.strings;
  const [framing, setFraming] = useState(false);
  const address = new URL(share.url + asSeen, location.href).href;
  return h(
    "li",
    null,
    h("code", { class: "share-address", tabIndex: 0 }, address),
    h(
      "div",
      { class: "share-deeds" },
      h(Copy, { app, text: address, label: t("share.copy") }),
      h("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, t("share.open")),
      h("button", { type: "button", class: "button", onClick: () => shares.revoke(share.token) }, t("share.revoke")),
      h(
        "button",
        { type: "button", class: "button", "aria-expanded": String(framing), onClick: () => setFraming(!framing) },
        t("share.embed"),
      ),
      share.files && h("span", { class: "fine" }, t("share.with_files")),
    ),
    framing && h(Embedding, { app, share, asSeen }),
  );
}

/** The lines that show a run in a frame on another site. @param {Props & {share: import("../sharing/shares.js").Share, asSeen: string}} props */
function Embedding({ app, share, asSeen }) {
  const { store, strings } = app;
  const { t, language } = strings;
  const [from, setFrom] = useState(String(Math.max(1, store.shown.peek())));
  const [to, setTo] = useState("");
  const lines = frameLines(new URL(`${share.url}embed/`, location.href), asSeen, { from, to, lang: language.value });
  const number = (/** @type {string} */ label, /** @type {string} */ value, /** @type {(to: string) => void} */ set) =>
    h(
      "label",
      { class: "share-bound" },
      label,
      h("input", {
        type: "number",
        min: 1,
        max: store.log.head.value,
        value,
        onInput: (/** @type {Event} */ event) => set(/** @type {HTMLInputElement} */ (event.currentTarget).value),
      }),
    );
  return h(
    "div",
    { class: "share-embed" },
    h("p", { class: "fine" }, t("share.embed.text")),
    h("p", null, number(t("share.embed.from"), from, setFrom), " ", number(t("share.embed.to"), to, setTo)),
    h(
      "div",
      { class: "paste" },
      h("pre", { class: "share-lines", tabIndex: 0, "aria-label": t("share.embed") }, lines),
      h(Copy, { app, text: lines, label: t("share.embed.copy") }),
    ),
  );
}

/** A frame's element, as text. Pure. @param {URL} url @param {string} asSeen @param {{from: string, to: string, lang: string}} bounds */
export function frameLines(url, asSeen, { from, to, lang }) {
  const said = new URLSearchParams(asSeen);
  said.delete("at");
  for (const [name, value] of Object.entries({ from, to, lang })) if (value) said.set(name, value);
  const src = `${url.href}?${said}`.replaceAll("&", "&amp;");
  return `<iframe src="${src}" width="100%" height="480" title="Glassplane" loading="lazy"></iframe>`;
}
