// The slider under a photograph sets the opacity of its heat maps; the buttons choose which one is shown.
for (const figure of document.querySelectorAll("figure.photo")) {
  const maps = figure.querySelectorAll("[data-heat-map]");
  const slider = figure.querySelector("[data-heat-map-opacity]");
  if (!maps.length || !slider) continue;
  const fade = () => {
    for (const map of maps) map.style.opacity = slider.value / 100;
  };
  slider.addEventListener("input", fade);
  fade();

  const choices = figure.querySelectorAll("[data-heat-map-choice]");
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      const code = choice.dataset.heatMapChoice;
      for (const map of maps) map.hidden = map.dataset.heatMap !== code;
      for (const each of choices) each.setAttribute("aria-pressed", each === choice);
      for (const words of figure.querySelectorAll("[data-heat-map-caption]")) {
        words.hidden = words.dataset.heatMapCaption !== code;
      }
      figure.dispatchEvent(new Event("heat-map-shown"));
    });
  }
}
