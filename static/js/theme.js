// The light, dark or system theme. Loaded in the head, before the first paint.
(() => {
  const root = document.documentElement;
  root.dataset.script = "on";

  const read = () => {
    try {
      return localStorage.getItem("theme") || "system";
    } catch {
      return "system"; // Without storage the choice applies to this page only.
    }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
  };

  apply(read());
  document.addEventListener("DOMContentLoaded", () => apply(read()));
  window.addEventListener("storage", (event) => event.key === "theme" && apply(read()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    try {
      localStorage.setItem("theme", button.dataset.setTheme);
    } catch {
      // See read().
    }
    apply(button.dataset.setTheme);
  });
})();
