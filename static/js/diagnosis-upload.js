// Uploads photographs in one request per file, two at a time, each with its own progress and its own failure. Without
// this script the form sends them all at once. A photograph counts as stored only when the server has returned its id.
// Until then it stays in the list, also across a new sign-in, and is sent again with the same idempotency key. If the
// server asks to wait (429, 503), all uploads wait that long and then continue automatically.
const form = document.getElementById("upload-form");

if (form) {
  const AT_ONCE = 2;
  const LONGEST_MS = 180_000;
  const text = form.dataset;
  // These refusals may be temporary: another role or account, a timeout, too many requests.
  const TEMPORARY = [403, 408, 429];
  const BUSY = [429, 503];
  const SHORTEST_WAIT = 5;
  const LONGEST_WAIT = 300;
  const MOST_WAITS = 5;
  const list = document.getElementById("uploads");
  const template = document.getElementById("upload-item");
  const problem = document.getElementById("upload-problem");
  const progress = document.getElementById("upload-progress");
  const drop = form.querySelector("[data-drop]");
  const camera = form.querySelector("[data-camera]");
  const submit = form.querySelector("[type=submit]");
  const key = form.querySelector("[name=idempotency_key]").value;
  const items = [];
  let chosenCount = 0;
  // Nothing is sent while the user is signed out, or while the server asks to wait.
  let paused = false;
  let clock = null;

  form.noValidate = true; // Missing input is reported below the list, in the page's words.

  // Without a touch screen the camera button opens the same file picker as the other one.
  if (!matchMedia("(pointer: coarse)").matches) camera.hidden = true;
  camera.querySelector("label").className = "button";

  for (const input of form.querySelectorAll("input[type=file]")) {
    // Hide the browser's "No file chosen": the list below shows the files, and the label opens the picker.
    Object.assign(input.style, { position: "absolute", opacity: 0, inlineSize: "1px", pointerEvents: "none" });
    input.addEventListener("change", () => {
      choose(input.files);
      input.value = ""; // The list below holds the files, and the same file can be chosen again.
    });
  }

  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    choose(event.dataTransfer.files);
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = items.filter((item) => item.state === "chosen");
    const isWaiting = paused && items.some((item) => item.state === "waiting");
    if (!chosen.length && !isWaiting) return showProblem(text.textNoFiles, form.querySelector("input[type=file]"));
    // Nothing is sent before every photograph has its lesion.
    const lacking = chosen.filter((item) => !item.choices.values().lesion);
    for (const item of lacking) item.choices.complain(text.textNoLesion);
    if (lacking.length) {
      showProblem(text.textNoLesions);
      return lacking[0].choices.focus();
    }
    showProblem("");
    for (const item of chosen) queue(item, item.choices.values());
    if (paused) resume();
    else startNext();
  });

  addEventListener("beforeunload", (event) => {
    if (items.some((item) => ["chosen", "waiting", "sending"].includes(item.state))) event.preventDefault();
  });

  function choose(files) {
    showProblem("");
    for (const file of files) {
      if (items.filter((item) => item.state === "chosen").length >= Number(text.maxFiles)) {
        showProblem(text.textTooMany);
        break;
      }
      items.push(addRow(file));
    }
    list.hidden = !items.length;
  }

  function addRow(file) {
    const row = template.content.firstElementChild.cloneNode(true);
    const part = (name) => row.querySelector(`[data-${name}]`);
    chosenCount += 1;
    const item = { file, row, part, state: "chosen", sent: null, waits: 0, key: `${key}-${chosenCount}` };
    item.choices = dermascan.uploadChoices.addTo(row, file.name, () => {
      // What was refused may be sent again with another choice.
      if (item.state === "failed" && !item.isStored) part("retry").hidden = false;
    });
    preview(item, URL.createObjectURL(file));
    part("name").textContent = file.name;
    part("state").textContent = size(file.size);
    part("progress").hidden = true;
    part("remove").setAttribute("aria-label", `${part("remove").textContent.trim()}: ${file.name}`);
    part("remove").addEventListener("click", () => {
      items.splice(items.indexOf(item), 1);
      item.choices.forget();
      row.remove();
      list.hidden = !items.length;
      report();
    });
    part("retry").addEventListener("click", () => {
      item.waits = 0;
      const values = item.choices.values();
      if (!values.lesion) {
        item.choices.complain(text.textNoLesion);
        return item.choices.focus();
      }
      // With other choices it is another request, which needs another key.
      if (JSON.stringify(values) !== JSON.stringify(item.sent)) item.key = `${item.key}-again`;
      queue(item, values);
      if (paused) resume();
      else startNext();
    });
    list.append(row);
    return item;
  }

  // If the browser cannot show the format (HEIC, TIFF) or the file is not a picture, the frame stays empty.
  function preview(item, address) {
    const picture = new Image();
    const done = () => address.startsWith("blob:") && URL.revokeObjectURL(address);
    picture.alt = "";
    picture.className = "thumb";
    picture.addEventListener("error", done);
    picture.addEventListener("load", () => {
      done();
      item.row.querySelector(".thumb").replaceWith(picture);
    });
    picture.src = address;
  }

  function queue(item, values) {
    item.sent = values;
    item.state = "waiting";
    item.choices.lock(true);
    item.part("remove").hidden = true;
    item.part("retry").hidden = true;
    item.part("state").replaceChildren(text.textWaiting);
  }

  function startNext() {
    report();
    while (!paused && items.filter((item) => item.state === "sending").length < AT_ONCE) {
      const next = items.find((item) => item.state === "waiting");
      if (!next) return;
      send(next);
    }
  }

  function send(item) {
    item.state = "sending";
    if (item.file.size > Number(text.maxBytes)) return fail(item, { message: text.textTooLarge, final: true });
    const bar = item.part("progress");
    bar.hidden = false;
    bar.value = 0;
    item.part("state").replaceChildren(text.textUploading);

    const body = new FormData();
    for (const [name, value] of Object.entries(item.sent)) body.append(name, value);
    body.append("files", item.file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.timeout = LONGEST_MS;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", item.key);
    request.setRequestHeader("X-CSRFToken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value"); // Indeterminate: the server reports no progress of the analysis.
      item.part("state").replaceChildren(text.textAnalysing);
    });
    for (const name of ["error", "timeout"]) {
      request.addEventListener(name, () => fail(item, { message: text.textOffline }));
    }
    request.addEventListener("load", () => {
      const answer = parse(request);
      if (request.status === 200 && answer?.id) return complete(item, answer);
      const problem = dermascan.problemOf(request.status, request.responseText);
      if (BUSY.includes(request.status)) {
        const seconds = secondsToWait(request, problem);
        if (seconds && item.waits < MOST_WAITS) return hold(item, seconds);
      }
      if (problem.signedOut || problem.code === "form-out-of-date") return pause(item, problem);
      // Sending a faulty file again does not help.
      const isRefused = Boolean(answer) && request.status >= 400;
      const final = isRefused && request.status < 500 && !TEMPORARY.includes(request.status);
      const unread = BUSY.includes(request.status) ? text.textBusy : text.textUnreadable;
      fail(item, { message: isRefused ? problem.message : unread, url: answer?.url, final });
    });
    request.send(body);
  }

  function parse(request) {
    try {
      const answer = JSON.parse(request.responseText);
      return typeof answer === "object" ? answer : null;
    } catch {
      return null;
    }
  }

  // How long the server asks to wait; 0 if it does not say, or says too long: then the user decides when to retry.
  function secondsToWait(request, problem) {
    const header = request.getResponseHeader("Retry-After") ?? "";
    const date = Math.ceil((Date.parse(header) - Date.now()) / 1000);
    const seconds = /^\d+$/.test(header) ? Number(header) : problem.retryAfter || date || (request.status === 429 ? 1 : 0);
    return seconds <= LONGEST_WAIT ? seconds && Math.max(seconds, SHORTEST_WAIT) : 0;
  }

  // The server is busy: all photographs wait, with a visible countdown, and then continue.
  function hold(item, seconds) {
    item.waits += 1;
    queue(item, item.sent);
    item.part("progress").hidden = true;
    const until = Math.max(Date.now() + 1000 * seconds, clock?.until ?? 0);
    stopClock();
    paused = true;
    clock = { until, timer: setInterval(count, 250) };
    count();
    report();
  }

  function stopClock() {
    clearInterval(clock?.timer);
    clock = null;
  }

  function count() {
    const left = Math.ceil((clock.until - Date.now()) / 1000);
    if (left <= 0) return resume();
    const words = text.textBusyFor.replace("%(seconds)s", left);
    for (const item of items) {
      const state = item.part("state");
      if (item.state === "waiting" && state.textContent !== words) state.replaceChildren(words);
    }
  }

  // This photograph and the others wait.
  function pause(item, problem) {
    queue(item, item.sent);
    item.part("progress").hidden = true;
    if (problem.signedOut) return stop("out");
    // Only the form's token was out of date; if it is again, the upload fails.
    if (item.hasNewToken) return fail(item, problem);
    item.hasNewToken = true;
    if (!paused) resume();
  }

  function stop(state) {
    paused = true;
    stopClock();
    for (const item of items) {
      if (item.state === "waiting") item.part("state").replaceChildren(text.textPaused);
    }
    dermascan.notify(list, { state, words: state === "out" ? text.textSignedOut : "", again: resume });
    report();
  }

  async function resume() {
    stopClock();
    paused = true;
    const { state } = await dermascan.session();
    if (state !== "in") return stop(state === "unknown" ? "offline" : state);
    paused = false;
    dermascan.forget(list);
    for (const item of items) {
      if (item.state === "waiting") item.part("state").replaceChildren(text.textWaiting);
    }
    startNext();
  }

  function complete(item, answer) {
    item.state = "done";
    item.part("progress").hidden = true;
    preview(item, answer.thumbnail);
    const badges = answer.badges.map((sign) => {
      const badge = document.createElement("span");
      badge.className = `badge badge-${sign.tone}`;
      badge.textContent = sign.words;
      return badge;
    });
    item.part("state").replaceChildren(...badges);
    if (answer.note) {
      const note = document.createElement("span");
      note.className = "field-error";
      note.textContent = answer.note;
      item.part("state").append(note);
    }
    open(item, answer.url);
    startNext();
  }

  function fail(item, { message, url, final }) {
    item.state = "failed";
    item.isStored = Boolean(url);
    item.choices.lock(item.isStored);
    item.part("progress").hidden = true;
    const words = document.createElement("span");
    words.className = "field-error";
    words.textContent = url ? message : `${text.textFailed}. ${message}`;
    item.part("state").replaceChildren(words);
    item.part("retry").hidden = Boolean(final);
    item.part("remove").hidden = Boolean(url);
    if (url) open(item, url);
    startNext();
  }

  function open(item, url) {
    const link = item.part("open");
    link.href = url;
    link.hidden = false;
    link.setAttribute("aria-label", `${link.textContent.trim()}: ${item.file.name}`);
  }

  function report() {
    const sent = items.filter((item) => item.state !== "chosen");
    const done = sent.filter((item) => item.state === "done" || item.state === "failed");
    submit.disabled = done.length < sent.length && !paused;
    const lost = done.filter((item) => item.state === "failed" && !item.isStored).length;
    const words = [text.textProgress.replace("%(done)s", done.length).replace("%(all)s", sent.length)];
    if (lost) words.push(text.textNotKept.replace("%(count)s", lost));
    progress.textContent = sent.length ? words.join(", ") : "";
  }

  function showProblem(message, focus) {
    problem.textContent = message;
    problem.hidden = !message;
    focus?.focus();
  }

  function size(bytes) {
    return bytes < 1e6 ? `${Math.max(Math.min(bytes, 1), Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }
}
