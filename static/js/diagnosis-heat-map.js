// The button under a photograph hides and shows the heat map; heat-map.js sets its opacity and which one is shown.
for (const button of document.querySelectorAll("[data-heat-map-toggle]")) {
  const figure = button.closest("figure");
  const maps = [...figure.querySelectorAll("[data-heat-map]")];
  // The selected heat map, shown or hidden.
  const selected = () => figure.querySelector("[data-heat-map-choice][aria-pressed=true]")?.dataset.heatMapChoice;
  const layer = () => maps.find((map) => map.dataset.heatMap === selected()) ?? maps[0];
  const updateButton = () => {
    const visible = !layer().hidden;
    button.textContent = visible ? button.dataset.textHide : button.dataset.textShow;
    button.setAttribute("aria-label", visible ? button.dataset.labelHide : button.dataset.labelShow);
  };
  const show = (visible) => {
    layer().hidden = !visible;
    updateButton();
  };
  button.addEventListener("click", () => show(layer().hidden));
  figure.addEventListener("heat-map-shown", updateButton);
  // Moving the slider shows the heat map.
  figure.querySelector("[data-heat-map-opacity]").addEventListener("input", () => show(true));
}
