/** A modal dialog: Esc and a click beside it close it. Everything on the page that has to be closed first is one. */
import { h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * @param {{open: boolean, onClose: () => void, class: string, label?: string, labelledby?: string,
 *   place?: {current: HTMLDialogElement | null}, children?: any}} props  `place`: where who opens it wants to find it
 */
export function Modal({ open, onClose, class: className, label, labelledby, place, children }) {
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
      class: className,
      "aria-label": label,
      "aria-labelledby": labelledby,
      onClose,
      onCancel: onClose, // Esc: `close` follows a task later, and a key typed in between would still be the dialog's
      onClick: (/** @type {MouseEvent} */ event) => {
        if (event.target === ref.current) onClose();
      },
    },
    open && children,
  );
}
