// The button under a photograph shows the lesion's outline as it was measured, and hides it again.
for (const button of document.querySelectorAll("[data-outline-toggle]")) {
  const outline = button.closest("figure").querySelector("[data-outline]");
  button.addEventListener("click", () => {
    const visible = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(visible));
    outline.toggleAttribute("hidden", !visible);
  });
}
