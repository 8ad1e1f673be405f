// Keyboard shortcuts for reviewing: each control with data-key has one. The forms work without this script.
(() => {
  const root = document.documentElement;
  const isField = (element) => element.matches("textarea, select, input:not([type=radio], [type=range])");
  let leaving = false;
  let before = null;

  // Only one submission per photograph. Submissions that session.js holds back do not reach this handler.
  document.addEventListener("submit", (event) => {
    if (leaving) event.preventDefault();
    leaving = true;
  });
  window.addEventListener("pageshow", () => (leaving = false));

  const press = (control) => {
    if (control.matches("button")) control.click();
    else if (control.matches("input[type=radio]")) {
      // Pressing the key again selects the first option.
      const first = control.form.querySelector(`input[name="${control.name}"]`);
      (control.checked ? first : control).checked = true;
    } else {
      // Focusing a field may scroll the page; Escape scrolls back.
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

  // Shortcuts can be turned off, for dictation for example; the choice is remembered.
  const toggle = document.querySelector("[data-keys-toggle]");
  const setKeys = (on) => {
    root.dataset.keys = on ? "on" : "off";
    toggle.setAttribute("aria-pressed", String(on));
    toggle.textContent = on ? toggle.dataset.textOn : toggle.dataset.textOff;
    try {
      localStorage.setItem("review-keys", root.dataset.keys);
    } catch {
      // Without storage the choice applies to this page only.
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

  // Zoom the photograph within its frame, around the centre of the visible part.
  const slider = document.querySelector("[data-zoom]");
  const frame = document.querySelector("[data-zoom-frame]");
  const zoom = () => {
    const x = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
    const y = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
    // Fix the frame's height, so that nothing below it moves.
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
