// One submit a form: its buttons are off while it is on its way. <button data-busy-text="Signing…"> says so as well.
// The server keeps to it without this script: see patients/once.py.
(() => {
  // Who stopped the browser, or was answered with a file, may send again; the server makes nothing twice.
  const AGAIN_MS = 20_000;
  const buttonsOf = (form) => [...form.elements].filter((element) => element.matches("[type=submit], [type=image]"));

  const setBusy = (form, busy) => {
    if (busy) form.dataset.sent = "on";
    else delete form.dataset.sent;
    for (const button of buttonsOf(form)) {
      // Buttons that a page's own script has turned off stay off.
      if (busy && button.disabled) continue;
      if (!busy && !("byScript" in button.dataset)) continue;
      button.disabled = busy;
      if (busy) button.dataset.byScript = button.textContent;
      if (button.dataset.busyText) button.textContent = busy ? button.dataset.busyText : button.dataset.byScript;
      if (!busy) delete button.dataset.byScript;
    }
  };

  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.method !== "post") return;
    if (submitter?.formTarget === "_blank") return; // the answer opens beside this page, which stays as it is
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "on";
    // After the browser has read the form: a button that is off sends nothing, not even its own value.
    setTimeout(() => setBusy(form, true));
    setTimeout(() => setBusy(form, false), AGAIN_MS);
  });

  // A page that comes back from the browser's cache is ready again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) setBusy(form, false);
  });
})();
