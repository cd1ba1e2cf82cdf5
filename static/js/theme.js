/* Runs before the first paint, so that a chosen theme or text size never flashes. The only script that is not a module. */
(() => {
  // A link to a run may say in which theme it is to be seen: in a frame there is no choice that was kept.
  const asked = location.pathname.startsWith("/shared/") && new URLSearchParams(location.search).get("theme");
  if (asked === "light" || asked === "dark") document.documentElement.dataset.theme = asked;
  try {
    const theme = asked || localStorage.getItem("glassplane.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    const size = Number(localStorage.getItem("glassplane.text-size"));
    if (size >= 0.5 && size <= 3) document.documentElement.style.setProperty("--text-size", String(size));
  } catch {
    // No storage, no choice: the system's theme and the browser's text size hold.
  }
})();
