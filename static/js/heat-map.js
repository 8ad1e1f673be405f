// The slider under a photograph sets the opacity of its heat maps; the buttons choose which one is shown.
for (const figure of document.querySelectorAll("figure.photo")) {
  const maps = figure.querySelectorAll("[data-heat-map]");
  const slider = figure.querySelector("[data-heat-map-opacity]");
  if (!maps.length || !slider) continue;
  const fade = () => maps.forEach((map) => (map.style.opacity = slider.value / 100));
  slider.addEventListener("input", fade);
  fade();

  const choices = figure.querySelectorAll("[data-heat-map-choice]");
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      const code = choice.dataset.heatMapChoice;
      maps.forEach((map) => (map.hidden = map.dataset.heatMap !== code));
      choices.forEach((each) => each.setAttribute("aria-pressed", each === choice));
      figure.querySelectorAll("[data-heat-map-caption]").forEach((words) => (words.hidden = words.dataset.heatMapCaption !== code));
      figure.dispatchEvent(new Event("heat-map-shown"));
    });
  }
}
