// Keyboard control of the review screen: each control with data-key responds to that key. The forms need no script.
(() => {
  const root = document.documentElement;
  // In a form that stands in the page for something else, a key never answers for the photograph.
  const isField = (element) =>
    element.matches("textarea, select, input:not([type=radio], [type=range])") || element.closest("[data-in-place]");
  let leaving = false;
  let before = null;

  // One answer per photograph, however fast the reader types. Submissions that session.js holds back do not get here.
  document.addEventListener("submit", (event) => {
    if (leaving) event.preventDefault();
    else if (!event.defaultPrevented) leaving = true; // htmx sends the forms in place, and the page stays
  });
  window.addEventListener("pageshow", () => (leaving = false));

  const press = (control) => {
    if (control.matches("button")) control.click();
    else if (control.matches("input[type=radio]")) {
      // A second press selects the first option again.
      const first = control.form.querySelector(`input[name="${control.name}"]`);
      (control.checked ? first : control).checked = true;
    } else {
      // Focus may scroll the page; Esc scrolls back to the photograph and the answers.
      before = scrollY;
      control.focus();
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Escape" && isField(event.target)) {
      event.target.blur();
      if (before !== null) scrollTo(0, before);
      before = null;
      return;
    }
    if (leaving || event.repeat || isField(event.target) || root.dataset.keys === "off") return;
    const control = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (control) press(control);
    else if (event.key === "+" || event.key === "=") zoomBy(1);
    else if (event.key === "-" || event.key === "−") zoomBy(-1);
    else return;
    event.preventDefault();
  });

  // Users who dictate or press keys by accident can turn the keys off; the setting is remembered.
  const toggle = document.querySelector("[data-keys-toggle]");
  const setKeys = (on) => {
    root.dataset.keys = on ? "on" : "off";
    toggle.setAttribute("aria-pressed", String(on));
    toggle.textContent = on ? toggle.dataset.textOn : toggle.dataset.textOff;
    try {
      localStorage.setItem("review-keys", root.dataset.keys);
    } catch {
      // Without storage the setting holds for this page only.
    }
  };
  const remembered = () => {
    try {
      return localStorage.getItem("review-keys");
    } catch {
      return null;
    }
  };
  if (toggle) {
    setKeys(remembered() !== "off");
    toggle.addEventListener("click", () => setKeys(root.dataset.keys === "off"));
  }

  // The photograph zooms within its frame, around the centre of the visible part.
  const slider = document.querySelector("[data-zoom]");
  const frame = document.querySelector("[data-zoom-frame]");
  const zoom = () => {
    const x = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
    const y = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
    // The frame keeps the height of the whole photograph, so that nothing below it moves.
    frame.style.maxBlockSize ||= `${frame.offsetHeight}px`;
    frame.style.setProperty("--zoom", slider.value / 100);
    frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
  };
  const zoomBy = (steps) => {
    if (!slider) return;
    slider.value = Number(slider.value) + steps * Number(slider.step);
    zoom();
  };
  slider?.addEventListener("input", zoom);

  // Preload the next photograph.
  const next = document.querySelector("[data-next]")?.dataset.next;
  if (next) new Image().src = next;
})();
