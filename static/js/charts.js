// Draws the bar charts of the performance pages with Chart.js, from the JSON beside them (diagnosis/monitoring/charts.py).
// Pointer and arrow keys show the figures of one bar; the table that holds them all is closed once the chart is drawn.
(() => {
  const { Chart } = window;
  // Without the library the tables stay open.
  if (!Chart) return;

  const FEW_BARS = 8;
  const TOKENS = {
    axis: "--line-strong",
    band: "--sunken",
    bar: "--accent",
    barActive: "--accent-strong",
    grid: "--line",
    ground: "--surface",
    reference: "--line-strong",
    referenceActive: "--ink-soft",
    stroke: "--ink",
    text: "--ink-soft",
  };
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

  const ruler = document.createElement("canvas").getContext("2d");
  const widthOf = (text) => {
    ruler.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
    return ruler.measureText(text).width;
  };

  // A label in as many lines as it takes; versions also break after a hyphen.
  const partsOf = (label) => label.split(/(?<=[\s-])/);
  const wrap = (label, width) => {
    const lines = [""];
    for (const part of partsOf(label)) {
      const longer = lines.at(-1) + part;
      if (lines.at(-1) && widthOf(longer.trimEnd()) > width) lines.push(part);
      else lines[lines.length - 1] = longer;
    }
    return lines.map((line) => line.trimEnd());
  };

  // A line in the colour of the text, kept apart by the ground's colour from the bar that it crosses.
  const stroke = (context, points, { width = 2, dash = [] } = {}) => {
    for (const [style, lineWidth] of [["ground", width + 2], ["stroke", width]]) {
      context.beginPath();
      for (const [x1, y1, x2, y2] of points) {
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
      }
      context.strokeStyle = colours[style];
      context.lineWidth = lineWidth;
      context.setLineDash(style === "stroke" ? dash : []);
      context.stroke();
    }
  };

  const limitLines = ({ words }) => [words.split(" ")[0], words.split(" ").slice(1).join(" ")].filter(Boolean);

  // What Chart.js does not draw itself: the band behind the chosen bar, whiskers, marks, and the limit with its label.
  const figuresPlugin = {
    id: "figures",
    beforeDatasetsDraw(chart) {
      const [active] = chart.getActiveElements();
      if (!active) return;
      const { ctx, chartArea, scales } = chart;
      const step = scales.x.width / chart.data.labels.length;
      ctx.save();
      ctx.fillStyle = colours.band;
      ctx.fillRect(scales.x.getPixelForValue(active.index) - step / 2, chartArea.top, step, chartArea.height);
      ctx.restore();
    },
    afterDatasetsDraw(chart, _args, { limit, rows }) {
      const { ctx, chartArea, scales } = chart;
      const y = (value) => scales.y.getPixelForValue(value);
      ctx.save();
      chart.getDatasetMeta(0).data.forEach((bar, index) => {
        const { interval, mark } = rows[index];
        if (interval) {
          const [low, high] = interval.map(y);
          const cap = Math.min(bar.width / 4, 6);
          const caps = [low, high].map((end) => [bar.x - cap, end, bar.x + cap, end]);
          stroke(ctx, [[bar.x, low, bar.x, high], ...caps]);
        }
        if (mark !== null) stroke(ctx, [[bar.x - bar.width / 2, y(mark), bar.x + bar.width / 2, y(mark)]]);
      });
      if (limit) {
        const height = y(limit.value);
        stroke(ctx, [[chartArea.left, height, chartArea.right, height]], { width: 1.5, dash: [6, 4] });
        const { size, family } = Chart.defaults.font;
        const lines = limitLines(limit);
        ctx.font = `${size}px ${family}`;
        ctx.fillStyle = colours.stroke;
        ctx.textBaseline = "middle";
        lines.forEach((line, index) => {
          ctx.fillText(line, chartArea.right + 6, height + (index - (lines.length - 1) / 2) * size * 1.2);
        });
      }
      ctx.restore();
    },
  };

  const showTip = ({ chart, tooltip }) => {
    const tip = chart.canvas.nextElementSibling;
    const [active] = tooltip.getActiveElements();
    tip.classList.toggle("is-shown", Boolean(active));
    if (!active) return;
    const row = chart.options.plugins.figures.rows[active.index];
    const label = document.createElement("b");
    label.textContent = row.label;
    tip.replaceChildren(label, ` ${row.words}`);
    const highest = Math.max(row.value, row.mark, ...(row.interval ?? []));
    const top = chart.scales.y.getPixelForValue(highest) - tip.offsetHeight - 8;
    const left = tooltip.caretX - tip.offsetWidth / 2;
    tip.style.top = `${Math.max(top, 0)}px`;
    tip.style.left = `${Math.max(Math.min(left, chart.width - tip.offsetWidth), 0)}px`;
  };

  const choose = (chart, index) => {
    const active = index === null ? [] : [{ datasetIndex: 0, index }];
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    chart.render();
  };

  const listenToKeys = (chart) => {
    const { canvas } = chart;
    const last = chart.data.labels.length - 1;
    canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const now = chart.getActiveElements()[0]?.index ?? last;
      const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last, Escape: null }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      choose(chart, next === null ? null : Math.min(Math.max(next, 0), last));
    });
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && choose(chart, last));
    canvas.addEventListener("blur", () => choose(chart, null));
  };

  const optionsOf = ({ rows, unit, suffix, top, limit }) => {
    const values = rows.map((row) => row.value);
    const highest = Math.max(limit?.value ?? 0, ...rows.flatMap((row) => [row.value, row.mark, ...(row.interval ?? [])]));
    const besidePlot = limit ? Math.max(...limitLines(limit).map(widthOf)) + 8 : 0;
    // Few bars have a label each, in several lines; of many, those that have room.
    const room = (chart) => (chart.width - besidePlot - 56) / rows.length;
    const parts = rows.flatMap(({ tick }) => partsOf(tick));
    const hasEach = (chart) => rows.length <= FEW_BARS && parts.every((part) => widthOf(part.trimEnd()) <= room(chart));
    return {
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { right: besidePlot } },
      plugins: {
        figures: { limit, rows },
        legend: { display: false },
        title: { display: true, text: unit, align: "start", color: colour("text"), font: { weight: "normal" } },
        tooltip: { enabled: false, external: showTip },
      },
      scales: {
        x: {
          border: { color: colour("axis") },
          grid: { display: false },
          ticks: {
            autoSkip: ({ chart }) => !hasEach(chart),
            autoSkipPadding: 12,
            color: colour("text"),
            maxRotation: 0,
            callback(value) {
              const label = this.getLabelForValue(value);
              return hasEach(this.chart) ? wrap(label, room(this.chart)) : label;
            },
          },
        },
        y: {
          beginAtZero: true,
          max: top ?? undefined,
          suggestedMax: highest,
          border: { display: false },
          grid: { color: colour("grid"), tickLength: 0 },
          ticks: {
            color: colour("text"),
            maxTicksLimit: 6,
            padding: 8,
            stepSize: top === null ? undefined : top / 4,
            precision: values.every((value) => value === null || Number.isInteger(value)) ? 0 : undefined,
            callback(...tick) {
              return Chart.Ticks.formatters.numeric.apply(this, tick) + suffix;
            },
          },
        },
      },
    };
  };

  const draw = (frame) => {
    const figures = JSON.parse(document.getElementById(frame.dataset.chart).textContent);
    const canvas = frame.querySelector("canvas");
    frame.hidden = false;
    const fill = (bar, reference) => (each) => colours[figures.rows[each.dataIndex]?.isReference ? reference : bar];
    const chart = new Chart(canvas, {
      type: "bar",
      data: {
        labels: figures.rows.map((row) => row.tick),
        datasets: [
          {
            data: figures.rows.map((row) => row.value),
            backgroundColor: fill("bar", "reference"),
            hoverBackgroundColor: fill("barActive", "referenceActive"),
            barPercentage: 0.78,
            categoryPercentage: 1,
            maxBarThickness: 48,
          },
        ],
      },
      options: optionsOf(figures),
      plugins: [figuresPlugin],
    });
    charts.push(chart);
    listenToKeys(chart);
    frame.parentElement.querySelector("details").open = false;
  };

  const frames = document.querySelectorAll("[data-chart]");
  if (!frames.length) return;
  const { fontFamily, fontSize } = getComputedStyle(frames[0]);
  Chart.defaults.font.family = fontFamily;
  Chart.defaults.font.size = Number.parseFloat(fontSize);
  Chart.defaults.locale = document.documentElement.lang;
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
