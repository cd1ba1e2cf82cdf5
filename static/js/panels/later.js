/**
 * A component whose module is fetched when it is drawn first: what few readers open costs nobody else anything.
 *
 *     const Card = later(() => import("../incidents/card.js"), "Card");
 *     h(Card, { name })
 *
 * Parts of the page's words and style sheets that are named after it are fetched with it: nobody sees what is drawn
 * without its words or its looks.
 *
 * Where the server cannot be reached a notice says so (to who hands down an app), and the next drawing tries again.
 */
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** @template {Record<string, any>} M @param {() => Promise<M>} load @param {keyof M} name of the component in the module @param {...string} needs parts of the words, for a component with `app`, and style sheets: "lessons", "faults.css" */
export function later(load, name, ...needs) {
  const sheets = needs.filter((need) => need.endsWith(".css"));
  const parts = needs.filter((need) => !need.endsWith(".css"));
  /** What was fetched once is drawn at once. @type {M | null} */
  let fetched = null;
  const component = (/** @type {any} */ props) => {
    const [module, setModule] = useState(fetched);
    const asked = useRef(false);
    useEffect(() => {
      if (module || asked.current) return;
      asked.current = true;
      Promise.all([load(), parts.length > 0 && props.app.strings.need(...parts), ...sheets.map(styled)])
        .then(([found]) => {
          fetched = found;
          setModule(found);
        })
        .catch(() => {
          asked.current = false;
          props.onLost?.();
          props.app?.toast(props.app.strings.t("lesson.offline"));
        });
    });
    return module && h(module[name], props);
  };
  /** Fetch the module before it is drawn: it is likely to be. */
  component.early = () => void load().catch(() => undefined);
  return component;
}

/** @typedef {ReturnType<typeof later>} Later */

/** Sheets that are there or on their way, by name; what could not be fetched is asked for again. @type {Map<string, Promise<unknown>>} */
const worn = new Map();

/** @param {string} sheet */
function styled(sheet) {
  const link = document.createElement("link");
  const known =
    worn.get(sheet) ??
    new Promise((done, fail) => {
      Object.assign(link, { rel: "stylesheet", href: new URL(`../../css/${sheet}`, import.meta.url).href, onload: done, onerror: fail });
      document.head.append(link);
    });
  worn.set(sheet, known);
  known.catch(() => {
    worn.delete(sheet);
    link.remove();
  });
  return known;
}

/** What is drawn from the time on when it is opened first, and stays then: a dialog has the focus to give back when it closes. @param {{open: boolean, of: (props: any) => any, onLost?: () => void, app: import("../app.js").App}} props  `onLost`: it cannot be fetched, and is not open after all */
export function Once({ open, of, onLost, app }) {
  const opened = useRef(false);
  opened.current ||= open;
  // What was not fetched is asked for when it is opened again, not whenever the page is drawn.
  const lost = () => {
    opened.current = false;
    onLost?.();
  };
  return opened.current && h(of, { app, onLost: lost });
}
