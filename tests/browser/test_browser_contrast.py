"""Every text that is drawn can be read: at least 4.5 : 1 against what lies behind it, in both themes, dimmed ones too.

axe-core leaves texts inside an SVG alone. Here each kind of row is drawn in each state it can be in, and the colours
that the style sheets make of it are laid over one another as the browser does.
"""

import pytest
from browser_page import Glassplane
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
ROWS = """async () => {
  const here = [...document.scripts].find((one) => one.src.includes("/js/main.js")).src;
  const { SHAPES } = await import(here.replace("main.js", "shapes.js"));
  const stage = document.querySelector("#diagram .canvas");
  const make = (name, parent, className) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    node.setAttribute("class", className);
    parent.append(node);
    return node;
  };
  const states = ["", "hovered", "partner", "here", "selected", "chained", "selected chained",
    "aside", "aside hovered", "aside here"];
  for (const family of [...Object.keys(SHAPES), "fold"])
    for (const state of states) {
      const row = make("g", stage, `row ${family} ${state} drawn-to-be-read`);
      for (const name of ["row-back", "chip"])
        for (const [key, value] of Object.entries({ x: 0, y: 0, width: 200, height: 22 }))
          (row.querySelector(`.${name}`) ?? make("rect", row, name)).setAttribute(key, value);
      Object.assign(make("text", row, "label"), { textContent: family }).setAttribute("y", "15");
      const tick = make("g", stage, `tick ${state} drawn-to-be-read`);
      const time = make("text", tick, "time");
      make("tspan", time, "same").textContent = "0:00";
      time.append("12");
      make("text", tick, "pause").textContent = "2 s";
    }
}"""
READ = """(only) => {
  const dot = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = dot.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return { rgb: [r, g, b], a: a / 255 };
  };
  const over = (below, above, opacity = 1) => below.map((one, i) => one + (above.rgb[i] - one) * above.a * opacity);
  const light = (rgb) => rgb.map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const said = [];
  const probe = document.createElementNS("http://www.w3.org/2000/svg", "g");
  for (const text of document.querySelectorAll(`svg ${only}text, svg ${only}tspan`)) {
    const own = [...text.childNodes].filter((one) => one.nodeType === 3);
    const words = own.map((one) => one.data).join("").trim();
    const style = getComputedStyle(text);
    if (!words || style.visibility === "hidden") continue;
    probe.style.color = "var(--pane-solid)";
    text.closest("svg").append(probe);
    const base = rgba(getComputedStyle(probe).color).rgb;
    let opacity = 1;
    for (let one = text; one.nodeName !== "svg"; one = one.parentNode) opacity *= Number(getComputedStyle(one).opacity);
    const group = text.closest("g") ?? text.parentNode;
    const groups = Number(getComputedStyle(group).opacity) || 1;
    let behind = base;
    const box = text.getBoundingClientRect();
    for (const rect of group.querySelectorAll(":scope > rect")) {
      const around = rect.getBoundingClientRect();
      const { fill, fillOpacity, opacity: faint } = getComputedStyle(rect);
      if (fill === "none" || around.left > box.left + 1 || around.right < box.right - 1) continue;
      if (around.top > box.bottom || around.bottom < box.top) continue;
      behind = over(behind, rgba(fill), Number(fillOpacity) * Number(faint) * groups);
    }
    const seen = over(behind, rgba(style.fill), opacity * Number(style.fillOpacity));
    const reached = ratio(seen, behind);
    const name = `${group.getAttribute("class") ?? ""} > ${text.getAttribute("class")}`;
    if (reached < 4.5) said.push(`${reached.toFixed(2)} ${name}: ${words}`);
  }
  probe.remove();
  return [...new Set(said)];
}"""


def unreadable(page: Page, only: str = "") -> list[str]:
    """Texts inside an SVG with too little contrast, in both themes."""
    said = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        said += [f"{scheme}: {one}" for one in page.evaluate(READ, only)]
    return said


def test_every_row_can_be_read_in_every_state(glassplane: Glassplane) -> None:
    page = glassplane.open().page
    glassplane.press(" ")
    glassplane.wait_until_paused()
    page.evaluate(ROWS)
    assert page.locator(".drawn-to-be-read").count() >= 340
    assert "\n".join(unreadable(page, ".drawn-to-be-read ")) == ""


def test_the_pictures_of_the_pages_can_be_read(glassplane: Glassplane) -> None:
    page = glassplane.page
    for path in ("/", "/map/"):
        page.goto(path)
        assert "\n".join(unreadable(page)) == "", path
