// Two aligned photographs, one on the other: a line between them, blinking, their difference, or blended.
const BLINK = 700; // ms: slower than three flashes a second
const still = matchMedia("(prefers-reduced-motion: reduce)");

const prepareOverlay = (overlay) => {
  if (overlay.dataset.ready) return;
  overlay.dataset.ready = "yes";
  const find = (name) => overlay.querySelector(`[data-${name}]`);
  const [top, layer, view, slider] = ["top", "layer", "view", "slider"].map(find);
  const [blink, now, strength, opacity] = ["blink", "now", "strength", "opacity"].map(find);
  let timer = 0;
  let isFirst = false;

  const mode = () => overlay.querySelector("input[type=radio]:checked").value;
  // The line stays where the slider is in the window, however far it is zoomed.
  const cut = () => {
    const [frame, window] = [layer.getBoundingClientRect(), view.getBoundingClientRect()];
    const at = window.left + (window.width * slider.value) / 100;
    const share = Math.min(Math.max((at - frame.left) / frame.width, 0), 1);
    view.style.setProperty("--line-at", `${slider.value}%`);
    top.style.clipPath = `inset(0 0 0 ${100 * share}%)`;
  };
  const showOne = () => {
    top.style.visibility = isFirst ? "hidden" : "";
    now.textContent = isFirst ? now.dataset.first : now.dataset.second;
  };
  const change = () => {
    isFirst = !isFirst;
    showOne();
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    blink.setAttribute("aria-pressed", "false");
    blink.textContent = blink.dataset.textStart;
  };
  const show = () => {
    overlay.dataset.mode = mode();
    for (const part of overlay.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== mode();
    if (mode() !== "blink") {
      stop();
      isFirst = false;
    }
    // Who asked for less motion switches by hand.
    blink.hidden = still.matches;
    if (still.matches) stop();
    showOne();
    top.style.clipPath = "";
    top.style.opacity = mode() === "blend" ? opacity.value / 100 : "";
    layer.style.filter = mode() === "difference" ? `brightness(${strength.value})` : "";
    if (mode() === "slider") cut();
  };

  overlay.addEventListener("input", show);
  document.addEventListener("compare-drawn", () => overlay.isConnected && mode() === "slider" && cut());
  still.addEventListener("change", show);
  find("switch").addEventListener("click", () => {
    stop();
    change();
  });
  blink.addEventListener("click", () => {
    if (timer) return stop();
    blink.setAttribute("aria-pressed", "true");
    blink.textContent = blink.dataset.textStop;
    timer = setInterval(change, BLINK);
  });
  show();
};

const prepareOverlays = () => {
  for (const overlay of document.querySelectorAll("[data-overlay]")) prepareOverlay(overlay);
};
prepareOverlays();
document.addEventListener("htmx:afterSettle", prepareOverlays);
