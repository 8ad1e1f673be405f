// Keyboard control of the review screen: each control with data-key responds to that key. The forms need no script.
(() => {
  const root = document.documentElement;
  const isField = (element) =>
    element.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
  const isShown = (element) => !element.closest("[hidden]");
  let leaving = false;
  let before = null;

  // A form in the page for something else, such as the patient's risk, that is open or being saved. An answer leaves the
  // page: what is not saved yet would be lost. So nothing is answered meanwhile, and the form says so.
  const openForm = () => [...document.querySelectorAll("[data-in-place]")].find((each) => each.querySelector("form"));
  const tellWhy = (place) => {
    const text = place.dataset;
    const isSent = place.querySelector("form.htmx-request");
    let said = place.querySelector("[data-kept-back]");
    if (!said) {
      said = document.createElement("p");
      said.className = "field-error";
      said.dataset.keptBack = "";
      said.setAttribute("role", "alert");
      place.querySelector(".form-actions").before(said);
    }
    said.textContent = isSent ? text.textBeingSaved : text.textSaveFirst;
    said.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener(
    "submit",
    (event) => {
      const place = openForm();
      if (!place || place.contains(event.target) || event.target.method !== "post") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      tellWhy(place);
    },
    true,
  );

  // One answer per photograph, however fast the reader types. Submissions that session.js holds back do not get here.
  document.addEventListener("submit", (event) => {
    if (leaving) event.preventDefault();
    else if (!event.defaultPrevented) leaving = true; // htmx sends the forms in place, and the page stays
  });
  window.addEventListener("pageshow", () => (leaving = false));

  const press = (control) => {
    if (control.matches("button, a")) control.click();
    else if (control.matches("input[type=radio]")) {
      // A second press takes the choice back.
      control.checked = !control.checked;
      const more = control.checked && document.getElementById(control.dataset.focuses);
      if (more) press(more);
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
    // Enter in the field for months goes back to the answers; it must not press one of them.
    if (event.key === "Enter" && event.target.id === "id_months") {
      event.target.blur();
      event.preventDefault();
      return;
    }
    if (leaving || event.repeat || isField(event.target) || root.dataset.keys === "off") return;
    // Of several photographs only one is shown, with its own controls.
    const key = CSS.escape(event.key.toLowerCase());
    const control = [...document.querySelectorAll(`[data-key="${key}"]`)].find(isShown);
    const zoom = [...document.querySelectorAll("[data-viewer]")].find(isShown)?.viewer.keys[event.key];
    const place = openForm();
    if (place && control) tellWhy(place);
    else if (place?.contains(event.target)) return;
    else if (control) press(control);
    else if (zoom && "+=-−0".includes(event.key)) zoom();
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

  // Preload the next photograph.
  const next = document.querySelector("[data-next]")?.dataset.next;
  if (next) new Image().src = next;
})();
