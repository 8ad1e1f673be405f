// Prevent double submissions: a form's buttons are disabled while it is being sent. <button data-busy-text="Signing…">
// sets the text meanwhile. The server enforces this too: see dermascan/core/once.py.
(() => {
  // Enable the buttons again after this time: the request was stopped, or the response was a download.
  const AGAIN_MS = 20_000;
  const buttonsOf = (form) => [...form.elements].filter((element) => element.matches("[type=submit], [type=image]"));

  const setBusy = (form, busy) => {
    if (busy) form.dataset.sent = "on";
    else delete form.dataset.sent;
    for (const button of buttonsOf(form)) {
      // Buttons that another script has disabled stay disabled.
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
    if (submitter?.formTarget === "_blank") return; // the response opens in another tab
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "on";
    // After the browser has read the form: a disabled button does not send its value.
    setTimeout(() => setBusy(form, true));
    setTimeout(() => setBusy(form, false), AGAIN_MS);
  });

  // Reset the form on a page restored from the browser's cache.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) setBusy(form, false);
  });
})();
