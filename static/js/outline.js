// The button that shows and hides the measured outline of the lesion.
for (const button of document.querySelectorAll("[data-outline-toggle]")) {
  const outline = button.closest("figure").querySelector("[data-outline]");
  button.addEventListener("click", () => {
    const visible = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(visible));
    outline.toggleAttribute("hidden", !visible);
  });
}
