/** A form that was sent is gone, and the focus with it: what comes in its place takes it over. */
import { useEffect, useRef } from "preact/hooks";

/**
 * @param {{current: HTMLElement | null}} place what holds the form, and stays
 * @param {unknown[]} when it may have gone
 * @param {() => HTMLElement | null | undefined} [heir] who takes the focus; else the place itself
 */
export function useHeir(place, when, heir = () => place.current) {
  const within = useRef(false);
  useEffect(() => {
    const come = () => {
      within.current = true;
    };
    // What is taken out of the document loses the focus to nobody.
    const go = (/** @type {FocusEvent} */ event) => {
      if (event.relatedTarget) within.current = false;
    };
    place.current?.addEventListener("focusin", come);
    place.current?.addEventListener("focusout", go);
  }, []);
  useEffect(() => {
    if (within.current && document.activeElement === document.body) heir()?.focus({ preventScroll: true });
  }, when);
}
