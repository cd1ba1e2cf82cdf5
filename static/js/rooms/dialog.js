/** A modal dialog with a title and a way out; Esc and a click beside it close it too. */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons.js";

/** @param {{open: boolean, onClose: () => void, title: string, closing: string, class?: string, children?: any}} props */
export function Dialog({ open, onClose, title, closing, class: className = "", children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    if (open && !ref.current?.open) ref.current?.showModal();
    if (!open && ref.current?.open) ref.current.close();
  }, [open]);
  return h(
    "dialog",
    {
      ref,
      class: `room-dialog pane ${className}`,
      "aria-label": title,
      onClose,
      onClick: (/** @type {MouseEvent} */ event) => {
        if (event.target === ref.current) onClose();
      },
    },
    open &&
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
