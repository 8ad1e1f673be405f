// The slider under a photograph sets how strongly the heat map covers it.
for (const slider of document.querySelectorAll("[data-heat-map-opacity]")) {
  const heatMap = slider.closest("figure, .photo")?.querySelector("[data-heat-map]");
  if (!heatMap) continue;
  const apply = () => (heatMap.style.opacity = slider.value / 100);
  slider.addEventListener("input", apply);
  apply();
}
