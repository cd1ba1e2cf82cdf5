/** What a branch is, said as long as nothing has happened in it that had not happened in the run it left. */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clock } from "../format.js";

const LOOKS_MAX = 10;
const LOOK_MS = 700;
const nothing = () => {}; // the panel says it too

/** @param {{app: import("../app.js").App}} props */
export function Begun({ app }) {
  const {
    store,
    strings: { t },
  } = app;
  const [me, setMe] = useState(/** @type {import("./tree.js").Run | null} */ (null));
  const running = store.cluster.value.state === "running";
  useEffect(() => {
    if (!running) return undefined;
    // Where it left, and whether as its parent, is written a moment after it has come there.
    let left = LOOKS_MAX;
    let timer = /** @type {any} */ (0);
    const look = async () => {
      const answer = await (await fetch(app.urls.branches)).json();
      const found = answer.runs.find((/** @type {import("./tree.js").Run} */ run) => run.me);
      left = found?.same == null ? left - 1 : Math.min(left - 1, 1);
      if (left > 0) timer = setTimeout(() => void look().catch(nothing), LOOK_MS);
      else setMe(found ?? null);
    };
    void look().catch(nothing);
    return () => clearTimeout(timer);
  }, [running]);
  const said = running && me?.at != null && store.clock.value.paused && store.log.head.value <= (me.seq ?? 0);
  if (!running || !me) return null;
  return h(
    "div",
    { role: "status", class: said ? "filter-said" : "" },
    said &&
      h(
        "p",
        null,
        t(me.outside ? "branches.begun.outside" : me.same === false ? "branches.begun.differs" : "branches.begun", {
          seq: me.seq ?? 0,
          time: clock(me.at ?? 0, 2),
        }),
        " ",
        h("button", { type: "button", class: "linklike", popovertarget: "branches" }, t("branches.others")),
      ),
  );
}
