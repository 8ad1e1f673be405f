// The quick check's form: drag and drop, preview, size check, and a busy button.
(() => {
  const form = document.querySelector("[data-quick-check]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const preview = form.querySelector("[data-preview]");
  const title = form.querySelector("[data-drop-title]");
  const error = form.querySelector("[data-file-error]");
  const submit = form.querySelector("[data-submit]");

  const show = () => {
    const file = input.files[0];
    const tooLarge = file && file.size > Number(form.dataset.maxBytes);
    error.textContent = tooLarge ? form.dataset.tooLarge : "";
    error.hidden = !tooLarge;
    submit.disabled = Boolean(tooLarge);
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.hidden = true;
    if (!file || tooLarge) return;
    title.textContent = form.dataset.change;
    preview.src = URL.createObjectURL(file);
  };
  // Most browsers cannot display HEIC or TIFF: then there is no preview.
  preview.addEventListener("load", () => (preview.hidden = false));
  input.addEventListener("change", show);

  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    show();
  });

  form.addEventListener("submit", () => {
    submit.textContent = form.dataset.working;
    // After the browser has read the form: a disabled button sends nothing.
    setTimeout(() => (submit.disabled = true));
  });
  // After going back from the result, the button must work again.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
