/** The way in for a whole class, as large as the wall: address, code, QR code. */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { grouped } from "./code.js";
import { Dialog } from "../dialog.js";

/** @typedef {{open: boolean, onClose: () => void, strings: import("../strings.js").Strings, title: string, code: string, address: string, joined: number, qr: HTMLTemplateElement | null}} Props */

/** @param {Props} props */
export function Projector({ open, onClose, strings: { t }, title, code, address, joined, qr }) {
  useEffect(() => {
    if (!open) return undefined;
    document.documentElement.requestFullscreen?.().catch(() => {});
    return () => {
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    };
  }, [open]);
  return h(
    Dialog,
    { open, onClose, title, closing: t("room.dismiss"), class: "room-projector" },
    h(
      "div",
      { class: "room-projected" },
      h(Picture, { template: qr }),
      h(
        "div",
        { class: "room-projected-words" },
        h("p", null, t("room.project.go")),
        h("p", { class: "room-address" }, address.replace(/^https?:\/\//, "").replace(/[^/]*\/?$/, "")),
        h("p", null, t("room.project.code")),
        h("p", { class: "room-code" }, grouped(code)),
        h("p", { class: "room-joined", role: "status" }, t("room.joined", { count: joined })),
      ),
    ),
  );
}

/** What the server drew, cloned. @param {{template: HTMLTemplateElement | null}} props */
export function Picture({ template }) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    if (template) ref.current?.replaceChildren(template.content.cloneNode(true));
  }, [template]);
  return h("div", { class: "room-qr", ref });
}
