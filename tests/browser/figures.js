/** Measured in the browser, on the page's own modules, with a journal of so many entries. See figures.py. */

/** @param {number} count */
export async function measure(count) {
  const at = (/** @type {string} */ path) => import(`${location.origin}${path}`);
  const [{ createStore }, { createActions }, { Diagram }, { createStrings }, { longJournal }, words] = await Promise.all([
    at("/static/js/store.js"), at("/static/js/actions.js"), at("/static/js/diagram/diagram.js"), at("/static/js/strings.js"), at("/tests/js/fixtures/journal.js"),
    fetch("/static/words/en.json").then((response) => response.json()),
  ]);
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const entries = longJournal(count + 300);
  document.body.replaceChildren();
  const scroller = document.createElement("div");
  const body = document.createElement("div");
  scroller.className = "scroller stage";
  scroller.style.cssText = "position:fixed;inset:0;display:block";
  scroller.append(body);
  body.className = "rows-body";
  document.body.append(scroller);
  const store = createStore({ cluster: { nodes: 2, state: "running" } });
  const actions = createActions(store, { send: () => true });
  const diagram = new Diagram({ scroller, body, store, actions, strings: createStrings(words, "en"), onWidth: () => {} });
  await frame();

  const first = performance.now();
  store.log.append(entries.slice(0, count));
  await frame();
  const paint = performance.now() - first;

  const timed = async (/** @type {number} */ times, /** @type {(i: number) => void} */ act) => {
    const spent = [];
    for (let i = 0; i < times; i += 1) {
      const start = performance.now();
      act(i);
      cancelAnimationFrame(diagram.frame);
      diagram.frame = 0;
      diagram.draw();
      void body.getBoundingClientRect();
      spent.push(performance.now() - start);
      if (i % 10 === 0) await frame();
    }
    spent.sort((a, b) => a - b);
    return { p50: +spent[spent.length >> 1].toFixed(2), p99: +spent[Math.floor(spent.length * 0.99)].toFixed(2) };
  };
  const add = await timed(200, (i) => store.log.append([entries[count + i]]));
  const back = await timed(200, () => actions.stepBack());
  const forward = await timed(200, () => actions.stepForward());
  const scroll = await timed(200, (i) => { scroller.scrollTop = (i * 7919 * 13) % scroller.scrollHeight; });
  return { entries: count, rows: store.picture.value.plan.rows.length, firstPaintMs: +paint.toFixed(1), add, stepBack: back, stepForward: forward, scroll, elements: document.querySelectorAll("*").length };
}
