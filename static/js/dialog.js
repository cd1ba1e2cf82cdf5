/**
 * A modal dialog: a title, a way out, and what it is about. Esc and a click beside it close it, and the focus goes back
 * to where it was, which is the browser's doing. Everything on the page that has to be closed first is one.
 */
import { h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.js";

/**
 * @param {{open: boolean, onClose: () => void, title: string, closing: string, kicker?: string, lead?: string, class?: string,
 *   place?: {current: HTMLDialogElement | null}, children?: any}} props  `closing`: what the way out is called; `kicker`, `lead`: above and below
 *   the title; `place`: where who opens it wants to find it
 */
export function Dialog({ open, onClose, title, closing, kicker, lead, class: className = "", place, children }) {
  const own = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const ref = place ?? own;
  // With the drawing, not after it: else Esc typed in between would be for nobody, and the dialog come all the same.
  useLayoutEffect(() => {
    if (open && !ref.current?.open) ref.current?.showModal();
    if (!open && ref.current?.open) ref.current.close();
  }, [open]);
  return h(
    "dialog",
    {
      ref,
      class: `dialog pane ${className}`,
      "aria-label": title,
      onClose,
      onCancel: onClose, // Esc: `close` follows a task later, and a key typed in between would still be the dialog's
      onClick: (/** @type {MouseEvent} */ event) => {
        if (event.target === ref.current) onClose();
      },
    },
    open &&
      h(
        "div",
        { class: "dialog-inner" },
        h(
          "header",
          null,
          h("div", null, kicker && h("p", { class: "kicker" }, kicker), h("h2", null, title), lead && h("p", null, lead)),
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
