/** A question before what cannot be undone. */
import { h } from "preact";
import { Dialog } from "../dialog.js";

/** @param {{open: boolean, title: string, text: string, yes: string, no: string, closing: string, onYes: () => void, onNo: () => void}} props */
export function Confirm({ open, title, text, yes, no, closing, onYes, onNo }) {
  return h(
    Dialog,
    { open, onClose: onNo, title, closing, class: "room-confirm" },
    h("p", null, text),
    h(
      "div",
      { class: "room-choices" },
      h("button", { type: "button", class: "button", onClick: onNo, autofocus: true }, no),
      h("button", { type: "button", class: "button danger", onClick: onYes }, yes),
    ),
  );
}
