// The symptoms of each lesion among the chosen photographs: one block a lesion, however many photographs show it. What was
// entered stays with its lesion, also while no photograph shows it.
(() => {
  const form = document.getElementById("upload-form");
  const place = form?.querySelector("[data-symptoms]");
  if (!place || !globalThis.dermascan) return;

  const pattern = place.querySelector("details");
  const recorded = JSON.parse(form.dataset.recordedSymptoms);
  const blocks = new Map();
  pattern.remove();

  function addBlock(lesion, name) {
    const block = pattern.cloneNode(true);
    for (const element of block.querySelectorAll("[id], [for], [name], [aria-describedby]")) {
      for (const attribute of ["id", "for", "aria-describedby"]) {
        const value = element.getAttribute(attribute);
        if (value) element.setAttribute(attribute, `${value}-${lesion}`);
      }
      if (element.name) {
        element.dataset.field = element.name;
        element.name = `${element.name}-${lesion}`;
      }
    }
    block.querySelector("[data-of]").textContent = name;
    const known = block.querySelector("[data-recorded]");
    known.hidden = !recorded[lesion];
    known.querySelector("span").textContent = recorded[lesion] ?? "";
    blocks.set(lesion, block);
    place.append(block);
    return block;
  }

  // `lesions` are those of the chosen photographs by id with their names; what was sent cannot be changed here.
  function show(lesions, unsent) {
    for (const [lesion, name] of lesions) if (!blocks.has(lesion)) addBlock(lesion, name);
    for (const [lesion, block] of blocks) {
      block.hidden = !lesions.has(lesion);
      for (const field of block.querySelectorAll("input")) field.disabled = !unsent.has(lesion);
    }
  }

  function values(lesion) {
    const fields = [...(blocks.get(lesion)?.querySelectorAll("[data-field]") ?? [])];
    const stated = fields.filter((field) => (field.type === "radio" ? field.checked : true) && field.value);
    return Object.fromEntries(stated.map((field) => [field.dataset.field, field.value]));
  }

  dermascan.uploadSymptoms = { show, values };
})();
