// Draws a lesion over time with Chart.js, from the JSON beside it (diagnosis/record/timeline/charts.py). The axis is
// true to time. Points of different lines are never joined; photographs without an answer are gaps and marks.
(() => {
  const { Chart } = window;
  // Without the library the tables stay open.
  if (!Chart) return;

  const DAY = 24 * 60 * 60 * 1000;
  const LANE = 22;
  const TOKENS = {
    accent: "--accent",
    axis: "--line-strong",
    benign: "--accent",
    closed: "--ink-soft",
    excised: "--accent",
    excluded: "--ink-soft",
    grid: "--line",
    ground: "--surface",
    ink: "--ink",
    malignant: "--urgent",
    not_judged: "--watch",
    other: "--ink-soft",
    result: "--accent",
    review: "--ink-soft",
    sent: "--accent",
    signed: "--ink-soft",
    text: "--ink-soft",
    unclear: "--watch",
    urgent: "--urgent",
    watch: "--watch",
  };
  // As templates/record/includes/event_mark.html; those in `FILLED` are solid.
  const MARKS = {
    malignant: "M-2.6 -6.2H2.6L6.2 -2.6V2.6L2.6 6.2H-2.6L-6.2 2.6V-2.6Z",
    unclear: "M0 -6.4L6.4 0L0 6.4L-6.4 0Z",
    benign: "M-5 -5H5V1.6L0 6.2L-5 1.6Z",
    review: "M4.6 0A4.6 4.6 0 1 1 -4.6 0A4.6 4.6 0 1 1 4.6 0Z",
    excluded: "M-5 -5L5 5M-5 5L5 -5",
    signed: "M-4 6.4V-6.4L5.4 -2.8L-4 .8",
    not_judged: "M-5 -5H5V5H-5ZM-2.6 0H2.6",
    sent: "M-6 0H4M0 -4.4L4.8 0L0 4.4",
    result: "M-4.6 -6H4.6V6H-4.6ZM-2 -2.4H2M-2 .4H2M-2 3.2H.6",
    excised: "M5.6 0A5.6 5.6 0 1 1 -5.6 0A5.6 5.6 0 1 1 5.6 0ZM-3.2 -3.2L3.2 3.2M-3.2 3.2L3.2 -3.2",
    closed: "M-5 -6V6M5 -6V6M-5 0H5",
  };
  const FILLED = new Set(["malignant", "unclear", "benign", "signed"]);
  // The marks of each lane above the curve, from the top.
  const LANES = [
    ["malignant", "unclear", "benign", "review"],
    ["sent", "excised", "result"],
    ["signed", "excluded", "closed"],
    ["not_judged"],
  ];
  const SHAPES = ["circle", "rect", "triangle", "rectRot", "star"];
  const charts = [];
  const colours = {};

  // A canvas knows no custom properties and no light-dark(), so an element's computed colour is read instead.
  const readColours = (scheme) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.hidden = true;
    probe.style.forcedColorAdjust = "none";
    probe.style.colorScheme = scheme;
    for (const [name, token] of Object.entries(TOKENS)) {
      probe.style.color = `var(${token})`;
      colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
  };
  const colour = (name) => () => colours[name];
  const redraw = (scheme = "") => {
    readColours(scheme);
    for (const chart of charts) chart.update("none");
  };

  const lang = document.documentElement.lang;
  const utc = { timeZone: "UTC" };
  const dayOf = (iso) => Date.parse(`${iso}T00:00:00Z`) / DAY;
  const dated = (options) => {
    const format = new Intl.DateTimeFormat(lang, { ...options, ...utc });
    return (day) => format.format(new Date(day * DAY));
  };
  const exact = dated({ day: "numeric", month: "short", year: "numeric" });
  const monthly = dated({ month: "short", year: "numeric" });

  const lanesOf = (events) => LANES.filter((kinds) => events.some(({ kind }) => kinds.includes(kind)));

  // Everything that pointer and keys can stop at, in order of time.
  const stopsOf = ({ lines, events }, isShown) => {
    const points = lines.flatMap((line, index) =>
      isShown(index) ? line.points.filter(({ value }) => value !== null).map((point) => ({ ...point, line: index })) : [],
    );
    const all = [...points, ...events].map((stop) => ({ ...stop, x: dayOf(stop.on) }));
    return all.sort((one, other) => one.x - other.x);
  };

  const placeOf = (chart, stop) => {
    const { scales, chartArea } = chart;
    const { lanes } = chart.options.plugins.timeline;
    const x = scales.x.getPixelForValue(stop.x);
    if (!stop.kind) return { x, y: scales.y.getPixelForValue(stop.value) };
    const same = chart.stops.filter((other) => other.kind && other.x === stop.x && laneOf(lanes, other) === laneOf(lanes, stop));
    const shift = (same.indexOf(stop) - (same.length - 1) / 2) * 15;
    return { x: x + shift, y: chartArea.top - (lanes.length - laneOf(lanes, stop)) * LANE + LANE / 2 };
  };
  const laneOf = (lanes, { kind }) => lanes.findIndex((kinds) => kinds.includes(kind));

  const drawMark = (ctx, kind, { x, y }, isActive) => {
    ctx.save();
    ctx.translate(x, y);
    if (isActive) ctx.scale(1.35, 1.35);
    const path = new Path2D(MARKS[kind]);
    ctx.lineWidth = 1.8;
    ctx.strokeStyle = colours[kind];
    ctx.fillStyle = FILLED.has(kind) ? colours[kind] : colours.ground;
    ctx.fill(path);
    ctx.stroke(path);
    ctx.restore();
  };

  const timelinePlugin = {
    id: "timeline",
    beforeDatasetsDraw(chart, _args, { limits, lanes }) {
      const { ctx, chartArea, scales } = chart;
      ctx.save();
      ctx.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
      ctx.textBaseline = "middle";
      const heights = limits.map(({ value }) => scales.y.getPixelForValue(value));
      limits.forEach(({ words, tone }, index) => {
        ctx.strokeStyle = colours[tone];
        ctx.lineWidth = 1.5;
        ctx.setLineDash([6, 4]);
        ctx.beginPath();
        ctx.moveTo(chartArea.left, heights[index]);
        ctx.lineTo(chartArea.right, heights[index]);
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.fillStyle = colours[tone];
        ctx.fillText(words, chartArea.right + 6, heights[index]);
      });
      if (chart.stops[chart.at]) {
        const { x } = placeOf(chart, chart.stops[chart.at]);
        ctx.strokeStyle = colours.axis;
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top - lanes.length * LANE);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
      }
      ctx.restore();
    },
    afterDatasetsDraw(chart) {
      const { ctx, scales } = chart;
      ctx.save();
      chart.data.datasets.forEach((dataset, index) => {
        if (!chart.isDatasetVisible(index)) return;
        for (const { x, interval } of dataset.data) {
          if (!interval) continue;
          const at = scales.x.getPixelForValue(x);
          const [low, high] = interval.map((value) => scales.y.getPixelForValue(value));
          ctx.strokeStyle = colours[index === 0 ? "accent" : "other"];
          ctx.lineWidth = 1.25;
          ctx.beginPath();
          for (const end of [low, high]) {
            ctx.moveTo(at - 4, end);
            ctx.lineTo(at + 4, end);
          }
          ctx.moveTo(at, low);
          ctx.lineTo(at, high);
          ctx.stroke();
        }
      });
      chart.stops.forEach((stop, index) => {
        const place = placeOf(chart, stop);
        if (stop.kind) drawMark(ctx, stop.kind, place, index === chart.at);
        else if (index === chart.at) {
          ctx.strokeStyle = colours.ink;
          ctx.lineWidth = 2;
          ctx.beginPath();
          ctx.arc(place.x, place.y, 9, 0, 2 * Math.PI);
          ctx.stroke();
        }
      });
      ctx.restore();
    },
  };

  const choose = (chart, index) => {
    chart.at = index;
    const tip = chart.canvas.nextElementSibling;
    const stop = chart.stops[index];
    tip.classList.toggle("is-shown", Boolean(stop));
    if (stop) {
      const label = document.createElement("b");
      label.textContent = stop.label;
      const several = !stop.kind && chart.figures.lines.length > 1 ? ` (${chart.figures.lines[stop.line].name})` : "";
      tip.replaceChildren(label, ` ${stop.words}${several}`);
      const { x, y } = placeOf(chart, stop);
      const above = y - tip.offsetHeight - 14;
      tip.style.top = `${above < 0 ? y + 14 : above}px`;
      tip.style.left = `${Math.max(Math.min(x - tip.offsetWidth / 2, chart.width - tip.offsetWidth), 0)}px`;
    }
    chart.draw();
  };

  const listen = (chart) => {
    const { canvas } = chart;
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const last = chart.stops.length - 1;
      const now = chart.at ?? last;
      const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, Escape: null }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      choose(chart, next === null ? null : Math.min(Math.max(next, 0), last));
    });
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && choose(chart, chart.stops.length - 1));
    canvas.addEventListener("blur", () => choose(chart, null));
    canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
      const distances = chart.stops.map((stop) => {
        const { x, y } = placeOf(chart, stop);
        return Math.hypot(x - offsetX, (y - offsetY) / 3);
      });
      const nearest = distances.indexOf(Math.min(...distances));
      choose(chart, distances[nearest] < 40 ? nearest : null);
    });
    canvas.addEventListener("pointerleave", () => choose(chart, null));
  };

  const extent = ({ lines, events }) => {
    const days = [...lines.flatMap(({ points }) => points), ...events].map(({ on }) => dayOf(on));
    const [first, last] = [Math.min(...days), Math.max(...days)];
    const room = Math.max((last - first) * 0.05, 3);
    return { min: first - room, max: last + room, days: [...new Set(days)].sort((a, b) => a - b) };
  };

  const ruler = document.createElement("canvas").getContext("2d");
  const widthOf = (text) => {
    ruler.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
    return ruler.measureText(text).width;
  };

  const datasetOf = (line, index) => ({
    label: line.name,
    hidden: !line.isFirst,
    data: line.points.map(({ on, value, interval }) => ({ x: dayOf(on), y: value, interval })),
    borderColor: colour(index === 0 ? "accent" : "other"),
    backgroundColor: colour(index === 0 ? "accent" : "other"),
    borderWidth: 2,
    borderDash: index === 0 ? [] : [3, 3],
    pointStyle: SHAPES[index % SHAPES.length],
    pointRadius: 5,
    pointHoverRadius: 5,
    spanGaps: false,
  });

  const optionsOf = (figures) => {
    const { limits, suffix, unit, top, bottom, events, lines } = figures;
    const { min, max, days } = extent(figures);
    const besidePlot = limits.length ? Math.max(...limits.map(({ words }) => widthOf(words))) + 8 : 8;
    const lanes = lanesOf(events);
    const values = lines.flatMap(({ points }) => points.map(({ value }) => value)).filter((value) => value !== null);
    const isLong = max - min > 400;
    return {
      maintainAspectRatio: false,
      events: [],
      layout: { padding: { right: besidePlot, top: lanes.length ? 4 : 0 } },
      plugins: {
        timeline: { limits, lanes },
        legend: { display: false },
        title: {
          display: true,
          text: unit,
          align: "start",
          color: colour("text"),
          font: { weight: "normal" },
          padding: { top: 4, bottom: 8 + lanes.length * LANE },
        },
        tooltip: { enabled: false },
      },
      scales: {
        x: {
          type: "linear",
          min,
          max,
          border: { color: colour("axis") },
          grid: { display: false },
          // The days with photographs or events, as far as there is room.
          afterBuildTicks: (axis) => {
            const label = isLong ? monthly : exact;
            let free = Number.NEGATIVE_INFINITY;
            axis.ticks = days
              .filter((day) => {
                const at = ((day - min) / (max - min)) * (axis.chart.width - besidePlot - 56);
                const half = widthOf(label(day)) / 2 + 6;
                if (at - half < free) return false;
                free = at + half;
                return true;
              })
              .map((value) => ({ value }));
          },
          ticks: { autoSkip: false, color: colour("text"), maxRotation: 0, callback: isLong ? monthly : exact },
        },
        y: {
          min: bottom,
          max: top ?? undefined,
          suggestedMax: Math.max(...values) * 1.15,
          border: { display: false },
          grid: { color: colour("grid"), tickLength: 0 },
          ticks: {
            color: colour("text"),
            maxTicksLimit: 6,
            padding: 8,
            stepSize: top === 100 ? 25 : undefined,
            callback(...tick) {
              return Chart.Ticks.formatters.numeric.apply(this, tick) + suffix;
            },
          },
        },
      },
    };
  };

  // A choice of the other versions, whose lines are drawn beside the first and never joined with it.
  const offerOthers = (chart, frame) => {
    const { lines } = chart.figures;
    if (lines.length < 2) return;
    const choice = document.createElement("div");
    choice.className = "time-lines";
    lines.forEach((line, index) => {
      const label = choice.appendChild(document.createElement("label"));
      const box = label.appendChild(document.createElement("input"));
      box.type = "checkbox";
      box.checked = line.isFirst;
      label.append(line.name);
      box.addEventListener("change", () => {
        chart.setDatasetVisibility(index, box.checked);
        chart.stops = stopsOf(chart.figures, (each) => chart.isDatasetVisible(each));
        chart.at = null;
        chart.update("none");
      });
    });
    frame.before(choice);
  };

  const draw = (frame) => {
    const figures = JSON.parse(document.getElementById(frame.dataset.timeChart).textContent);
    frame.hidden = false;
    const stops = stopsOf(figures, (index) => figures.lines[index].isFirst);
    const chart = new Chart(frame.querySelector("canvas"), {
      type: "line",
      data: { datasets: figures.lines.map(datasetOf) },
      options: optionsOf(figures),
      plugins: [{ ...timelinePlugin, beforeInit: (made) => Object.assign(made, { stops, at: null, figures }) }],
    });
    charts.push(chart);
    listen(chart);
    offerOthers(chart, frame);
    for (const details of frame.parentElement.querySelectorAll(":scope > .watch-table")) details.open = false;
  };

  const frames = document.querySelectorAll("[data-time-chart]");
  if (!frames.length) return;
  const { fontFamily, fontSize } = getComputedStyle(frames[0]);
  Chart.defaults.font.family = fontFamily;
  Chart.defaults.font.size = Number.parseFloat(fontSize);
  Chart.defaults.locale = lang;
  Chart.defaults.animation = false;
  readColours("");
  for (const frame of frames) draw(frame);

  document.fonts.ready.then(() => redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
  new MutationObserver(() => redraw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  // Paper is white.
  window.addEventListener("beforeprint", () => redraw("light"));
  window.addEventListener("afterprint", () => redraw());
})();
