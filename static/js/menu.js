// The site menu on narrow screens; drop-down menus close on outside clicks and Escape.
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

  // Move the focus to a form's error summary.
  document.querySelector(".error-summary")?.focus();
})();
