// What is chosen for each photograph before it is sent: its lesion and its kind. Until somebody changes them in a row,
// they follow the choices for all photographs above. A new lesion is added in a dialog, so that nothing that was chosen
// is lost.
(() => {
  const form = document.getElementById("upload-form");
  const dialog = document.getElementById("new-lesion");
  if (!form || !dialog || !globalThis.dermascan) return;

  const NEW = "new";
  const LEFT_OPEN = "left_open";
  const text = form.dataset;
  const rows = [];
  const symptoms = dermascan.uploadSymptoms;
  const device = form.elements.namedItem("device");
  const kindForAll = form.elements.namedItem("kind");
  const defaultKinds = JSON.parse(text.defaultKinds);
  const radios = () => [...form.querySelectorAll("input[name=lesion]")];
  const nameOf = (radio) => radio.closest("label").textContent.trim();
  const lesionForAll = () => radios().find((radio) => radio.checked)?.value ?? "";
  // A kind that was chosen for all comes first, then what the device usually takes.
  const usualKind = () => kindForAll.value || defaultKinds[device.value] || LEFT_OPEN;

  form.addEventListener("change", (event) => {
    if (["lesion", "kind", "device"].includes(event.target.name)) followAll();
  });

  function followAll() {
    for (const row of rows) row.follow();
    showSymptoms();
  }

  function showSymptoms() {
    const chosen = new Set(rows.map((row) => row.lesion));
    const lesions = radios().filter((radio) => chosen.has(radio.value));
    const unsent = new Set(rows.filter((row) => !row.isSent).map((row) => row.lesion));
    symptoms.show(new Map(lesions.map((radio) => [radio.value, nameOf(radio)])), unsent);
  }

  const adder = form.querySelector("[data-add-lesion]");
  adder?.addEventListener("click", (event) => {
    event.preventDefault();
    ask((lesion) => {
      radios().find((radio) => radio.value === lesion.id).checked = true;
      followAll();
    });
  });

  // Returns the choices of one row: their values, what is missing, and whether they can still be changed.
  function addTo(element, name, changed) {
    const part = (what) => element.querySelector(`[data-${what}]`);
    const [lesion, kind, problem] = [part("lesion"), part("kind"), part("choice-problem")];
    const touched = new Set();
    let before = "";

    for (const { text: words, value } of kindForAll.options) if (value) kind.append(new Option(words, value));
    for (const select of [lesion, kind]) {
      const label = select.closest("label").querySelector("span").textContent.trim();
      select.setAttribute("aria-label", `${label}: ${name}`);
    }
    lesion.addEventListener("change", () => {
      if (lesion.value === NEW) {
        lesion.value = before;
        ask((added) => choose(added.id));
      } else choose(lesion.value);
    });
    kind.addEventListener("change", () => {
      touched.add(kind);
      changed();
    });

    function choose(value) {
      lesion.value = before = value;
      touched.add(lesion);
      complain("");
      showSymptoms();
      changed();
    }

    function fill() {
      const chosen = lesion.value;
      lesion.replaceChildren(new Option(text.textChoose, ""));
      for (const radio of radios()) lesion.append(new Option(nameOf(radio), radio.value));
      lesion.append(new Option(text.textNewLesion, NEW));
      lesion.value = chosen;
    }

    function follow() {
      if (lesion.disabled) return;
      if (!touched.has(lesion)) lesion.value = before = lesionForAll();
      if (!touched.has(kind)) kind.value = usualKind();
      if (lesion.value) complain("");
    }

    function complain(words) {
      problem.textContent = words;
      problem.hidden = !words;
      lesion.toggleAttribute("aria-invalid", Boolean(words));
      if (words) lesion.setAttribute("aria-invalid", "true");
    }

    const row = {
      follow,
      fill,
      complain,
      get lesion() {
        return lesion.value;
      },
      get isSent() {
        return lesion.disabled;
      },
      values: () => ({
        lesion: lesion.value,
        kind: kind.value,
        device: device.value,
        ...symptoms.values(lesion.value),
      }),
      focus: () => lesion.focus(),
      lock: (isLocked) => {
        lesion.disabled = kind.disabled = isLocked;
        showSymptoms();
      },
      forget: () => {
        rows.splice(rows.indexOf(row), 1);
        showSymptoms();
      },
    };
    rows.push(row);
    fill();
    follow();
    showSymptoms();
    return row;
  }

  // --- A new lesion ---------------------------------------------------------------------------------------------

  const fields = dialog.querySelector("form");
  const said = fields.querySelector("[data-problem]");
  const send = fields.querySelector("[type=submit]");
  const firstKey = fields.elements.namedItem("idempotency_key").value;
  let count = 0;
  let added = () => {};

  function ask(then) {
    added = then;
    count += 1;
    fields.reset();
    report("");
    dialog.showModal();
  }

  fields.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());

  fields.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await add();
    } finally {
      send.disabled = false;
    }
  });

  async function add() {
    const { state } = await dermascan.session(); // It also brings a fresh token.
    if (state !== "in") return report(state === "offline" ? fields.dataset.textOffline : fields.dataset.textSignedOut);
    const body = new FormData(fields);
    // What is corrected after a refusal is sent with the same key: other content is another request.
    body.set("idempotency_key", `${firstKey}-${count}`);
    let answer;
    try {
      answer = await fetch(fields.action, { method: "POST", body, headers: { Accept: "application/json" } });
    } catch {
      return report(fields.dataset.textOffline);
    }
    const words = await answer.text();
    if (!answer.ok) return report(dermascan.problemOf(answer.status, words).message);
    const lesion = JSON.parse(words);
    addRadio(lesion);
    for (const row of rows) row.fill();
    dialog.close();
    added(lesion);
  }

  // The new lesion joins the choices for all photographs, built as the form builds them.
  function addRadio(lesion) {
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "lesion", id: `id_lesion_${lesion.id}`, value: lesion.id });
    const label = document.createElement("label");
    label.htmlFor = radio.id;
    label.append(radio, ` ${lesion.name}`);
    const place = document.createElement("div");
    place.append(label);
    document.getElementById("id_lesion").append(place);
    const none = form.querySelector("[data-no-lesion]");
    if (none) none.hidden = true;
  }

  function report(words) {
    said.textContent = words;
    said.hidden = !words;
  }

  dermascan.uploadChoices = { addTo };
})();
