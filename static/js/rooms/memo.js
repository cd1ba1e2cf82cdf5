/** A component that draws again only when one of its properties is another: a board of forty rows changes one at a time. */
import { Component, h } from "preact";

/** @template P @param {(props: P) => any} draw @returns {(props: P) => any} */
export function memo(draw) {
  return /** @type {any} */ (
    class extends Component {
      /** @override @param {any} next */
      shouldComponentUpdate(next) {
        const props = /** @type {any} */ (this.props);
        return Object.keys({ ...props, ...next }).some((key) => key !== "children" && props[key] !== next[key]);
      }

      /** @override @param {any} props */
      render(props) {
        return h(/** @type {any} */ (draw), props);
      }
    }
  );
}
