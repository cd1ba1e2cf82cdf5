/**
 * A component whose module is fetched when it is drawn first: what few readers open costs nobody else anything.
 *
 *     const Card = later(() => import("../incidents/card.js"), "Card");
 *     h(Card, { name })
 */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";

/** @template {Record<string, any>} M @param {() => Promise<M>} load @param {keyof M} name of the component in the module */
export function later(load, name) {
  return (/** @type {any} */ props) => {
    const [module, setModule] = useState(/** @type {M | null} */ (null));
    useEffect(() => void load().then(setModule), []);
    return module && h(module[name], props);
  };
}
