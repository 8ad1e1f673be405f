// Zoom and move a photograph by buttons, keys, wheel, drag and pinch. The frame keeps its size; what is in it is moved.
(() => {
  const STEP = 1.4;
  // A pointer that moves less than this has clicked.
  const STILL = 5;

  const setUp = (frame) => {
    const figure = frame.closest("[data-viewer-figure]");
    const content = frame.querySelector(".photo-frame");
    const output = figure.querySelector("[data-viewer-scale]");
    const width = Number(frame.dataset.width);
    const ratio = width / Number(frame.dataset.height);
    let picture = content.querySelector("img");
    let asked = false;
    let scale = 1;
    let x = 0;
    let y = 0;

    frame.style.setProperty("--ratio", ratio);
    frame.dataset.ready = "";

    // The width of the content before it is scaled, which layout knows to a fraction of a pixel.
    const fitted = () => Number.parseFloat(getComputedStyle(content).inlineSize) || 0;
    const most = () => Math.max(5, (4 * width) / fitted());

    // Load the picture with all pixels once the one that is shown has too few.
    const sharpen = () => {
      const needed = fitted() * scale * devicePixelRatio;
      if (asked || picture.naturalWidth >= width || needed <= picture.naturalWidth) return;
      asked = true;
      const full = picture.cloneNode();
      full.src = frame.dataset.full;
      full.decode().then(
        () => {
          picture.replaceWith(full);
          picture = full;
        },
        () => (asked = false),
      );
    };

    const within = (position, size, room, offset) =>
      size <= room ? (room - size) / 2 - offset : Math.min(-offset, Math.max(room - size - offset, position));

    const place = () => {
      if (!fitted()) return;
      scale = Math.min(Math.max(scale, 1), most());
      x = within(x, fitted() * scale, frame.clientWidth, content.offsetLeft);
      y = within(y, content.offsetHeight * scale, frame.clientHeight, content.offsetTop);
      content.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
      frame.toggleAttribute("data-zoomed", scale > 1);
      const share = Math.round(((fitted() * scale * devicePixelRatio) / width) * 100);
      if (output) output.textContent = output.dataset.text.replace("#", share);
      if (scale > 1) sharpen();
      frame.dispatchEvent(new Event("viewer-moved"));
    };

    // Zoom around a point of the frame, by default its centre.
    const zoomTo = (next, cx = frame.clientWidth / 2, cy = frame.clientHeight / 2) => {
      const limited = Math.min(Math.max(next, 1), most());
      x = cx - content.offsetLeft - ((cx - content.offsetLeft - x) / scale) * limited;
      y = cy - content.offsetTop - ((cy - content.offsetTop - y) / scale) * limited;
      scale = limited;
      place();
    };
    const moveBy = (dx, dy) => {
      x += dx;
      y += dy;
      place();
    };
    const zooms = {
      in: () => zoomTo(scale * STEP),
      out: () => zoomTo(scale / STEP),
      fit: () => zoomTo(1),
      pixels: () => zoomTo(width / (fitted() * devicePixelRatio)),
    };
    for (const button of figure.querySelectorAll("[data-viewer-zoom]")) {
      button.addEventListener("click", zooms[button.dataset.viewerZoom]);
    }

    const step = () => frame.clientWidth / 8;
    const keys = {
      "+": zooms.in,
      "=": zooms.in,
      "-": zooms.out,
      "−": zooms.out,
      0: zooms.fit,
      ArrowLeft: () => moveBy(step(), 0),
      ArrowRight: () => moveBy(-step(), 0),
      ArrowUp: () => moveBy(0, step()),
      ArrowDown: () => moveBy(0, -step()),
    };
    frame.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
      // A photograph that is shown in full does not move: the arrows then scroll the page.
      if (event.key.startsWith("Arrow") && scale === 1) return;
      keys[event.key]();
      event.preventDefault();
      event.stopPropagation();
    });

    const inFrame = (event) => {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left - frame.clientLeft, event.clientY - box.top - frame.clientTop];
    };
    frame.addEventListener(
      "wheel",
      (event) => {
        const isMeant = event.ctrlKey || event.metaKey || scale > 1 || document.activeElement === frame;
        // The page scrolls past a photograph that nobody has touched, and past one that cannot get smaller.
        if (!isMeant || (scale === 1 && event.deltaY > 0)) return;
        event.preventDefault();
        zoomTo(scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...inFrame(event));
      },
      { passive: false },
    );

    // One pointer moves the photograph, two pinch it.
    const pointers = new Map();
    let travelled = 0;
    const spread = () => {
      const [one, other] = [...pointers.values()];
      return {
        size: Math.hypot(one[0] - other[0], one[1] - other[1]),
        at: [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2],
      };
    };
    frame.addEventListener("dragstart", (event) => event.preventDefault());
    frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("[data-measure-point]")) return;
      pointers.set(event.pointerId, inFrame(event));
      if (pointers.size === 1) travelled = 0;
      if (scale > 1 || pointers.size > 1) frame.setPointerCapture(event.pointerId);
    });
    frame.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = inFrame(event);
      travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (pointers.size === 2) {
        const from = spread();
        pointers.set(event.pointerId, now);
        const to = spread();
        moveBy(to.at[0] - from.at[0], to.at[1] - from.at[1]);
        zoomTo((scale * to.size) / from.size, ...to.at);
      } else {
        pointers.set(event.pointerId, now);
        if (scale > 1) moveBy(now[0] - before[0], now[1] - before[1]);
      }
    });
    const lift = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (event.type === "pointerup" && !pointers.size && travelled < STILL) {
        frame.dispatchEvent(new CustomEvent("viewer-click", { detail: toPicture(...inFrame(event)) }));
      }
    };
    for (const kind of ["pointerup", "pointercancel"]) frame.addEventListener(kind, lift);

    // Between the frame's pixels and those of the original, for measure.js.
    const perPixel = () => (fitted() * scale) / width;
    const origin = () => (scale === 1 ? [content.offsetLeft, content.offsetTop] : [content.offsetLeft + x, content.offsetTop + y]);
    const toPicture = (cx, cy) => [(cx - origin()[0]) / perPixel(), (cy - origin()[1]) / perPixel()];
    const toFrame = (u, v) => [origin()[0] + u * perPixel(), origin()[1] + v * perPixel()];
    frame.viewer = { keys, toPicture, toFrame, inFrame };

    new ResizeObserver(place).observe(frame);
    place();
  };

  for (const frame of document.querySelectorAll("[data-viewer]")) setUp(frame);
})();
