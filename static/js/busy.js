// Forms that take seconds: <form data-busy> with <button data-busy-text="Signing…">. One submit, and it shows.
for (const form of document.querySelectorAll("form[data-busy]")) {
  const button = form.querySelector("[data-busy-text]");
  const text = button.textContent;

  form.addEventListener("submit", (event) => {
    if (event.submitter?.formTarget === "_blank") {
      return; // the answer opens beside this page, which stays as it is
    }
    if (form.dataset.busy === "on") {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "on";
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.busyText;
  });

  // A page that comes back from the browser's cache is ready again.
  window.addEventListener("pageshow", () => {
    form.dataset.busy = "";
    button.removeAttribute("aria-disabled");
    button.textContent = text;
  });
}
