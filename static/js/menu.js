// The site menu on narrow screens, and drop-down menus that close as people expect.
(() => {
  const toggle = document.querySelector("[data-menu-toggle]");
  const menu = toggle && document.getElementById(toggle.getAttribute("aria-controls"));
  const setOpen = (open) => {
    toggle.setAttribute("aria-expanded", String(open));
    menu.toggleAttribute("data-open", open);
  };
  toggle?.addEventListener("click", () => setOpen(toggle.getAttribute("aria-expanded") !== "true"));

  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const details of openMenus()) if (!details.contains(event.target)) details.open = false;
  });
  document.addEventListener("focusin", (event) => {
    for (const details of openMenus()) if (!details.contains(event.target)) details.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const details of openMenus()) {
      details.open = false;
      details.querySelector("summary").focus();
    }
    if (menu?.hasAttribute("data-open")) {
      setOpen(false);
      toggle.focus();
    }
  });

  // A form that came back with errors: take the reader there.
  document.querySelector(".error-summary")?.focus();
})();
