// A point on the body map: chosen by click or tap, or with the arrow keys and Enter. The number fields hold it, and in
// the form of a lesion it proposes body site and side. Without this script the fields alone do the same.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const FRAME = 1000;
  const STEP = 10;
  const SMALL_STEP = 2;
  const ZOOM = 1.6;
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const within = (value) => Math.min(Math.max(Math.round(value), 0), FRAME);

  const start = (root) => {
    const form = root.closest("form");
    const field = (name) => root.querySelector(`[name="${name}"], [name="map-${name}"]`);
    const fields = { view: field("view"), x: field("x"), y: field("y") };
    const status = root.querySelector("[data-map-status]");
    const site = document.getElementById(root.dataset.bodySite ?? "");
    const views = new Map();

    const regionAt = (svg, x, y) => {
      const point = svg.createSVGPoint();
      [point.x, point.y] = [x, y];
      const inside = (path) => path.isPointInFill(point);
      const outlines = [...svg.querySelectorAll(".body-outline")];
      if (!outlines.some(inside)) return null;
      // What is drawn last lies on top. A region of one outline alone is clipped to it.
      const regions = [...svg.querySelectorAll(".body-region")].reverse();
      return (
        regions.find((region) => {
          const only = /-(\d+)\)$/.exec(region.parentElement.getAttribute("clip-path"));
          return inside(region) && (!only || inside(outlines[only[1]]));
        }) ?? null
      );
    };

    const sideOf = (region, x, svg) => {
      const isWide = svg.viewBox.baseVal.width > 600;
      const isMiddle = "hasMiddle" in region.dataset && Math.abs(x - FRAME / 2) <= (isWide ? 24 : 8);
      return isMiddle ? "midline" : region.dataset.side;
    };

    const describe = (entry, region) => {
      if (!region) return status.dataset.beside;
      return `${entry.frame.dataset.label}: ${region.dataset.name}`;
    };

    const show = (entry, x, y) => {
      for (const other of views.values()) other.marker.toggleAttribute("hidden", other !== entry);
      const unit = entry.svg.viewBox.baseVal.height / entry.svg.getBoundingClientRect().height || 1;
      entry.marker.setAttribute("transform", `translate(${x} ${y}) scale(${unit})`);
      for (const region of root.querySelectorAll(".body-region.is-chosen")) region.classList.remove("is-chosen");
      const region = regionAt(entry.svg, x, y);
      region?.classList.add("is-chosen");
      status.textContent = describe(entry, region);
      return region;
    };

    const choose = (entry, x, y) => {
      [x, y] = [within(x), within(y)];
      const region = show(entry, x, y);
      fields.view.value = entry.frame.dataset.bodyView;
      [fields.x.value, fields.y.value] = [x, y];
      if (region && site) {
        site.value = region.dataset.site;
        const side = sideOf(region, x, entry.svg);
        const radio = form.querySelector(`[name="${root.dataset.side}"][value="${side}"]`);
        if (radio) radio.checked = true;
      }
      return region;
    };

    const clear = () => {
      for (const input of Object.values(fields)) input.value = "";
      for (const entry of views.values()) entry.marker.setAttribute("hidden", "");
      for (const region of root.querySelectorAll(".body-region.is-chosen")) region.classList.remove("is-chosen");
      status.textContent = "";
    };

    const shown = () => {
      const entry = views.get(fields.view.value);
      if (!entry || fields.x.value === "" || fields.y.value === "") return null;
      return { entry, x: within(Number(fields.x.value)), y: within(Number(fields.y.value)) };
    };

    const enlarge = (entry, factor) => {
      const { svg, whole } = entry;
      const box = svg.viewBox.baseVal;
      const now = shown();
      const [x, y] = now?.entry === entry ? [now.x, now.y] : [box.x + box.width / 2, box.y + box.height / 2];
      const width = Math.min(Math.max(box.width / factor, whole.width / 8), whole.width);
      const height = (width / whole.width) * whole.height;
      const left = Math.min(Math.max(x - width / 2, whole.x), whole.x + whole.width - width);
      const top = Math.min(Math.max(y - height / 2, whole.y), whole.y + whole.height - height);
      svg.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
      for (const pin of svg.querySelectorAll("[data-scale]")) {
        const scale = pin.dataset.scale * (width / whole.width);
        pin.setAttribute("transform", pin.getAttribute("transform").replace(/scale\([^)]*\)/, `scale(${scale})`));
      }
      if (now) show(now.entry, now.x, now.y);
    };

    const makeMarker = (svg) => {
      const marker = svg.appendChild(document.createElementNS(SVG, "g"));
      marker.setAttribute("class", "pick-marker");
      marker.setAttribute("hidden", "");
      const ring = marker.appendChild(document.createElementNS(SVG, "circle"));
      ring.setAttribute("class", "pick-ring");
      ring.setAttribute("r", "12");
      const cross = marker.appendChild(document.createElementNS(SVG, "path"));
      cross.setAttribute("class", "pick-cross");
      cross.setAttribute("d", "M-18 0H-5M5 0H18M0 -18V-5M0 5V18");
      return marker;
    };

    const zoomButton = (entry, label, mark, factor) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = mark;
      button.setAttribute("aria-label", `${label}: ${entry.frame.dataset.label}`);
      button.addEventListener("click", () => enlarge(entry, factor));
      return button;
    };

    const take = (frame) => {
      const svg = frame.querySelector("svg");
      const { x, y, width, height } = svg.viewBox.baseVal;
      const entry = { frame, svg, marker: makeMarker(svg), whole: { x, y, width, height } };
      views.set(frame.dataset.bodyView, entry);
      svg.setAttribute("data-picking", "");
      for (const pin of svg.querySelectorAll(".pin, .pin-dot")) {
        const scaled = pin.closest("[transform]");
        scaled.dataset.scale = /scale\(([^)]*)\)/.exec(scaled.getAttribute("transform"))[1];
      }
      frame.tabIndex = 0;
      frame.setAttribute("role", "application");
      frame.setAttribute("aria-label", `${frame.dataset.label}. ${status.dataset.keys}`);
      const zoom = frame.parentElement.appendChild(document.createElement("div"));
      zoom.className = "body-zoom";
      zoom.append(zoomButton(entry, status.dataset.enlarge, "+", ZOOM), zoomButton(entry, status.dataset.reduce, "−", 1 / ZOOM));

      svg.addEventListener("click", (event) => {
        const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        choose(entry, point.x, point.y);
      });
      frame.addEventListener("keydown", (event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || event.target !== frame) return;
        const now = shown();
        const middle = [entry.whole.x + entry.whole.width / 2, entry.whole.y + entry.whole.height * 0.3];
        const [x0, y0] = now?.entry === entry ? [now.x, now.y] : middle;
        if (event.key === "Enter") {
          event.preventDefault();
          if (choose(entry, x0, y0)) form.querySelector("[type=submit]").focus();
          return;
        }
        const direction = KEYS[event.key];
        if (!direction) return;
        event.preventDefault();
        const step = event.shiftKey ? SMALL_STEP : STEP;
        choose(entry, x0 + direction[0] * step, y0 + direction[1] * step);
      });
    };

    root.hidden = false;
    for (const frame of root.querySelectorAll("[data-body-view]")) take(frame);
    const update = () => {
      const now = shown();
      if (now) show(now.entry, now.x, now.y);
    };
    for (const input of Object.values(fields)) input.addEventListener("input", update);
    // Whoever then chooses another site from the list means the list.
    const listed = () => {
      const now = shown();
      const region = now && regionAt(now.entry.svg, now.x, now.y);
      const side = form.querySelector(`[name="${root.dataset.side}"]:checked`)?.value;
      const isOther = region && (region.dataset.site !== site.value || sideOf(region, now.x, now.entry.svg) !== side);
      if (isOther) clear();
    };
    if (site) {
      site.addEventListener("change", listed);
      for (const radio of form.querySelectorAll(`[name="${root.dataset.side}"]`)) radio.addEventListener("change", listed);
    }

    const buttons = root.querySelectorAll("[data-map-sheet]");
    const open = (sheet) => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mapSheet === sheet));
      for (const group of root.querySelectorAll("[data-map-views]")) group.hidden = group.dataset.mapViews !== sheet;
      update();
    };
    for (const button of buttons) button.addEventListener("click", () => open(button.dataset.mapSheet));
    const chosen = shown()?.entry.frame.closest("[data-map-views]");
    if (chosen) open(chosen.dataset.mapViews);
    update();
  };

  for (const root of document.querySelectorAll("[data-body-map]")) start(root);
})();
