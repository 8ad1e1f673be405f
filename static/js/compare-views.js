// Photographs that are compared are zoomed and moved together: by the buttons, by + − 0 and the arrow keys in a
// photograph, by wheel (in a photograph that has the focus, or with Ctrl), drag and pinch.
const LARGEST = 12;
const STEP = 1.5;
const SHARE = 0.15; // of the window, moved at a press
// What every window shows: the zoom, and the point of the picture (in shares of it) at the window's centre.
const shown = { zoom: 1, x: 0.5, y: 0.5 };
const views = () => [...document.querySelectorAll("[data-view]")];

const draw = () => {
  const reach = 0.5 / shown.zoom;
  shown.x = Math.min(Math.max(shown.x, reach), 1 - reach);
  shown.y = Math.min(Math.max(shown.y, reach), 1 - reach);
  for (const view of views()) {
    const layer = view.querySelector("[data-layer]");
    const left = 50 - 100 * shown.x * shown.zoom;
    const top = 50 - 100 * shown.y * shown.zoom;
    layer.style.transform = shown.zoom === 1 ? "" : `translate(${left}%, ${top}%) scale(${shown.zoom})`;
    view.classList.toggle("is-zoomed", shown.zoom > 1);
    view.dataset.zoom = shown.zoom.toFixed(2);
  }
  for (const words of document.querySelectorAll("[data-zoom-shown]")) {
    words.textContent = `${Math.round(100 * shown.zoom)} %`;
  }
  document.dispatchEvent(new Event("compare-drawn"));
};

// Zooms so that the point at (across, down), in shares of the window, stays where it is.
const zoom = (by, across = 0.5, down = 0.5) => {
  const before = shown.zoom;
  shown.zoom = Math.min(Math.max(before * by, 1), LARGEST);
  shown.x += (across - 0.5) * (1 / before - 1 / shown.zoom);
  shown.y += (down - 0.5) * (1 / before - 1 / shown.zoom);
  draw();
};
const move = (across, down) => {
  shown.x += across / shown.zoom;
  shown.y += down / shown.zoom;
  draw();
};
const whole = () => {
  Object.assign(shown, { zoom: 1, x: 0.5, y: 0.5 });
  draw();
};
const MOVES = { left: [-SHARE, 0], right: [SHARE, 0], up: [0, -SHARE], down: [0, SHARE] };

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-zoom][type=button], [data-move]");
  if (!button) return;
  if (button.dataset.move) move(...MOVES[button.dataset.move]);
  else if (button.dataset.zoom === "whole") whole();
  else zoom(button.dataset.zoom === "in" ? STEP : 1 / STEP);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-view]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const direction = event.key.startsWith("Arrow") && event.key.slice(5).toLowerCase();
  if (direction && shown.zoom > 1) move(...MOVES[direction]);
  else if (event.key === "+" || event.key === "=") zoom(STEP);
  else if (event.key === "-" || event.key === "_") zoom(1 / STEP);
  else if (event.key === "0") whole();
  else return;
  event.preventDefault();
});

const share = (view, event) => {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

document.addEventListener(
  "wheel",
  (event) => {
    const view = event.target.closest?.("[data-view]");
    // Elsewhere the wheel scrolls the page, over photographs too.
    if (!view || !(event.ctrlKey || document.activeElement === view)) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...share(view, event));
  },
  { passive: false },
);

const fingers = new Map();
const apart = () => {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
};
document.addEventListener("pointerdown", (event) => {
  const view = event.target.closest?.("[data-view]");
  if (!view || event.button) return;
  fingers.set(event.pointerId, event);
  if (shown.zoom > 1 || fingers.size > 1) view.setPointerCapture(event.pointerId);
  view.classList.add("is-held");
});
document.addEventListener("pointermove", (event) => {
  const last = fingers.get(event.pointerId);
  const view = event.target.closest?.("[data-view]");
  if (!last || !view) return;
  const before = fingers.size > 1 && apart();
  fingers.set(event.pointerId, event);
  if (fingers.size > 1) return zoom(apart() / Math.max(before, 1), ...share(view, event));
  const box = view.getBoundingClientRect();
  if (shown.zoom > 1) move((last.clientX - event.clientX) / box.width, (last.clientY - event.clientY) / box.height);
});
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, (event) => {
    fingers.delete(event.pointerId);
    for (const view of views()) view.classList.remove("is-held");
  });
}

// Later photographs turned and scaled like the oldest, once they are aligned.
const placed = (image, matrix) => {
  const [a, b, c, d, e, f] = matrix.split(",").map(Number);
  // The matrix is for a drawing 1000 units wide.
  const unit = image.parentElement.clientWidth / 1000;
  image.style.transform = `matrix(${a}, ${b}, ${c}, ${d}, ${e * unit}, ${f * unit})`;
};
const match = () => {
  const box = document.querySelector("[data-match]");
  const aligned = [...document.querySelectorAll("[data-change][data-matrix]")];
  if (!box) return;
  box.hidden = !aligned.length;
  for (const change of aligned) {
    const layer = document.querySelector(`[data-view][data-photograph="${change.dataset.photograph}"] [data-layer]`);
    if (!layer) continue;
    const isOn = box.querySelector("input").checked;
    layer.classList.toggle("is-matched", isOn);
    layer.style.aspectRatio = isOn ? change.dataset.firstRatio : "";
    if (isOn) placed(layer.querySelector("img"), change.dataset.matrix);
    else layer.querySelector("img").style.transform = "";
  }
};
document.addEventListener("change", (event) => event.target.closest("[data-match]") && match());

const prepare = () => {
  for (const view of views()) view.tabIndex = 0;
  for (const overlay of document.querySelectorAll("[data-overlay]")) {
    placed(overlay.querySelector("[data-top] img"), overlay.dataset.matrix);
  }
  match();
  draw();
};
prepare();
addEventListener("resize", prepare);
document.addEventListener("htmx:afterSettle", prepare);
