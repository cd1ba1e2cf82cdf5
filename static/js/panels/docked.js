/**
 * A panel at the side of the diagram, for what is asked while the evidence is read: nothing is covered or blurred, and
 * everything beside it can be scrolled and clicked.
 *
 * The page has one place for it: whoever wants it sets `app.docked` to what is to be drawn there, and to null again.
 * It takes the focus when it opens and gives it back when it closes; Esc closes it, from within or with no focus at all.
 */
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons.js";

/** @param {{title: string, closing: string, onClose: () => void, children?: any}} props */
export function Docked({ title, closing, onClose, children }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    ref.current?.focus();
    const hear = (/** @type {KeyboardEvent} */ event) => {
      const here = event.target === document.body || ref.current?.contains(/** @type {Node} */ (event.target));
      if (event.key !== "Escape" || !here || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      onClose();
    };
    document.addEventListener("keydown", hear);
    return () => {
      document.removeEventListener("keydown", hear);
      opener?.focus();
    };
  }, []);
  return h(
    "aside",
    { class: "docked pane", ref, tabIndex: -1, "aria-label": title },
    h(
      "header",
      null,
      h("h2", null, title),
      h(
        "button",
        { type: "button", class: "ghost", onClick: onClose, "aria-label": closing, title: `${closing} (Esc)` },
        h(Icon, { name: "close" }),
      ),
    ),
    children,
  );
}
