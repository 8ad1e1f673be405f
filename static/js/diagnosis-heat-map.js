// The button under a photograph hides the heat map and shows it again; heat-map.js sets how strong it is.
for (const button of document.querySelectorAll("[data-heat-map-toggle]")) {
  const figure = button.closest("figure");
  const layer = figure.querySelector("[data-heat-map]");
  const show = (visible) => {
    layer.hidden = !visible;
    button.textContent = visible ? button.dataset.textHide : button.dataset.textShow;
    button.setAttribute("aria-label", visible ? button.dataset.labelHide : button.dataset.labelShow);
  };
  button.addEventListener("click", () => show(layer.hidden));
  // Whoever moves the slider wants to see what it does.
  figure.querySelector("[data-heat-map-opacity]").addEventListener("input", () => show(true));
}
