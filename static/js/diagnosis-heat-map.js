// The button that hides and shows the heat map; heat-map.js sets its opacity and class.
for (const button of document.querySelectorAll("[data-heat-map-toggle]")) {
  const figure = button.closest("figure");
  const maps = [...figure.querySelectorAll("[data-heat-map]")];
  // The chosen map, visible or not.
  const chosen = () => figure.querySelector("[data-heat-map-choice][aria-pressed=true]")?.dataset.heatMapChoice;
  const layer = () => maps.find((map) => map.dataset.heatMap === chosen()) ?? maps[0];
  const say = () => {
    const visible = !layer().hidden;
    button.textContent = visible ? button.dataset.textHide : button.dataset.textShow;
    button.setAttribute("aria-label", visible ? button.dataset.labelHide : button.dataset.labelShow);
  };
  const show = (visible) => {
    layer().hidden = !visible;
    say();
  };
  button.addEventListener("click", () => show(layer().hidden));
  figure.addEventListener("heat-map-shown", say);
  // Moving the slider shows the map.
  figure.querySelector("[data-heat-map-opacity]").addEventListener("input", () => show(true));
}
