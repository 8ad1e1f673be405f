// Measure the distance of two points of a photograph, in millimetres only where its width was stated.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const language = document.documentElement.lang || undefined;

  for (const toggle of document.querySelectorAll("[data-measure-toggle]")) {
    const figure = toggle.closest("[data-viewer-figure]");
    const frame = figure.querySelector("[data-viewer]");
    const output = figure.querySelector("[data-measure-output]");
    const hint = figure.querySelector("[data-measure-hint]");
    const { width, height, widthMm } = frame.dataset;
    const { toPicture, toFrame, inFrame } = frame.viewer;
    const points = [];
    let handles = [];
    let overlay = null;
    let next = 0;

    const inside = (value, size) => Math.min(Math.max(value, 0), Number(size));
    const words = () => {
      const pixels = Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]);
      if (!widthMm) return output.dataset.textPixels.replace("#", Math.round(pixels).toLocaleString(language));
      const mm = (pixels * Number(widthMm)) / Number(width);
      const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
      return output.dataset.textMm.replace("#", mm.toLocaleString(language, digits));
    };
    const draw = () => {
      if (!overlay) return;
      const places = points.map((point) => toFrame(...point));
      places.forEach(([left, top], number) => {
        handles[number].style.left = `${left}px`;
        handles[number].style.top = `${top}px`;
      });
      for (const line of overlay.children) {
        line.setAttribute("x1", places[0][0]);
        line.setAttribute("y1", places[0][1]);
        line.setAttribute("x2", places[1][0]);
        line.setAttribute("y2", places[1][1]);
      }
    };
    const setPoint = (number, [u, v]) => {
      points[number] = [inside(u, width), inside(v, height)];
      draw();
      output.textContent = words();
    };

    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const prepare = (handle, number) => {
      handle.addEventListener("keydown", (event) => {
        const step = steps[event.key];
        if (!step) return;
        const size = event.shiftKey ? 10 : 1;
        setPoint(number, [points[number][0] + step[0] * size, points[number][1] + step[1] * size]);
        event.preventDefault();
        event.stopPropagation();
      });
      handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
      handle.addEventListener("pointermove", (event) => {
        if (handle.hasPointerCapture(event.pointerId)) setPoint(number, toPicture(...inFrame(event)));
      });
    };

    const start = () => {
      overlay = document.createElementNS(SVG, "svg");
      overlay.setAttribute("class", "viewer-line");
      overlay.setAttribute("aria-hidden", "true");
      overlay.append(document.createElementNS(SVG, "line"), document.createElementNS(SVG, "line"));
      const template = figure.querySelector("[data-measure-points]").content.cloneNode(true);
      handles = [...template.querySelectorAll("[data-measure-point]")];
      handles.forEach(prepare);
      frame.append(overlay, ...handles);
      const middle = frame.clientHeight / 2;
      points[0] = toPicture(frame.clientWidth * 0.35, middle);
      setPoint(1, toPicture(frame.clientWidth * 0.65, middle));
      setPoint(0, points[0]);
      next = 0;
      handles[0].focus({ preventScroll: true });
    };
    const stop = () => {
      overlay.remove();
      for (const handle of handles) handle.remove();
      overlay = null;
    };

    toggle.addEventListener("click", () => {
      const begins = !overlay;
      if (begins) start();
      else stop();
      toggle.setAttribute("aria-pressed", String(begins));
      output.hidden = hint.hidden = !begins;
    });
    // Clicks place the points in turn.
    frame.addEventListener("viewer-click", (event) => {
      if (!overlay) return;
      setPoint(next, event.detail);
      next = 1 - next;
    });
    frame.addEventListener("viewer-moved", draw);
  }
})();
