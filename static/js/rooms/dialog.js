/** A modal dialog with a title and a way out. */
import { h } from "preact";
import { Icon } from "../icons.js";
import { Modal } from "../modal.js";

/** @param {{open: boolean, onClose: () => void, title: string, closing: string, class?: string, children?: any}} props */
export function Dialog({ open, onClose, title, closing, class: className = "", children }) {
  return h(
    Modal,
    { open, onClose, class: `room-dialog pane ${className}`, label: title },
    h(
      "div",
      { class: "room-dialog-inner" },
      h(
        "header",
        null,
        h("h2", null, title),
        h(
          "button",
          { type: "button", class: "ghost", onClick: onClose, "aria-label": closing, title: closing },
          h(Icon, { name: "close" }),
        ),
      ),
      children,
    ),
  );
}

/** Ask before what cannot be undone. @param {{open: boolean, title: string, text: string, yes: string, no: string, closing: string, onYes: () => void, onNo: () => void}} props */
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
