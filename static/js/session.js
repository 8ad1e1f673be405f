// Nothing is lost when a session ends while a page is open. Before a form is sent the page asks whether the session is
// still there, and takes a fresh token; if it is not, what was typed stays, and a notice offers to sign in and go on.
// Lists that htmx fetches say in words why they could not be fetched.
globalThis.dermascan = (() => {
  const template = document.getElementById("request-notice");
  if (!template) return null;
  const text = template.dataset;
  const ASK_MS = 10_000;

  // What an answer that is no success says: {code, message, signedOut}. A page where a problem was expected (a proxy's
  // 502, a sign-in page of somebody else's) says nothing.
  function problemOf(status, body) {
    let problem = null;
    try {
      problem = JSON.parse(body);
    } catch {
      // No JSON.
    }
    return {
      code: problem?.code ?? "",
      message: problem?.detail || problem?.title || text.textUnexpected,
      retryAfter: Number(problem?.retry_after) || 0,
      signedOut: status === 401,
    };
  }

  // "in" with a fresh token for forms, "out", "other" (somebody else), "offline", or "unknown" where it cannot be told.
  async function session() {
    let answer;
    try {
      answer = await fetch(text.session, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(ASK_MS),
      });
    } catch {
      return { state: "offline" };
    }
    if (answer.status === 401) return { state: "out" };
    const found = answer.ok ? await answer.json().catch(() => null) : null;
    if (!found?.csrf_token) return { state: "unknown" };
    if (found.user !== text.user) return { state: "other" };
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = found.csrf_token;
    return { state: "in", token: found.csrf_token };
  }

  const WORDS = { out: text.textSignedOut, other: text.textOther, offline: text.textOffline };

  // Put a notice before `place`, once. `again` is called by its button, and by coming back from signing in elsewhere.
  function notify(place, { words, state, again, signIn, inPlace = false }) {
    forget(place);
    const notice = template.content.firstElementChild.cloneNode(true);
    const link = notice.querySelector("[data-sign-in]");
    const button = notice.querySelector("[data-again]");
    notice.querySelector("[data-words]").textContent = words || WORDS[state];
    if (state === "out" || state === "other") {
      link.hidden = false;
      link.href = signIn || signInFor(location.pathname + location.search);
      if (!inPlace) link.target = "_blank";
    }
    if (again) {
      button.hidden = false;
      button.addEventListener("click", again);
    }
    place.before(notice);
    notice.scrollIntoView({ block: "nearest" });
    return notice;
  }

  function forget(place) {
    const before = place.previousElementSibling;
    if (before?.matches("[data-request-notice]")) before.remove();
  }

  function signInFor(page) {
    return `${text.signIn}?next=${encodeURIComponent(page)}`;
  }

  // --- Forms ------------------------------------------------------------------------------------------------------

  const asking = new WeakSet();
  const asked = new WeakSet();

  document.addEventListener(
    "submit",
    async (event) => {
      const { target: form, submitter } = event;
      // Forms that create or change something carry a key; those of visitors need no session.
      if (!text.user || form.method !== "post" || !form.querySelector("[name=idempotency_key]")) return;
      if (form.matches("[data-own-requests]") || submitter?.formTarget === "_blank" || asked.delete(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (asking.has(form)) return;
      asking.add(form);
      const { state } = await session();
      asking.delete(form);
      const send = () => form.requestSubmit(submitter);
      // Where the eye is: above the buttons of a long form.
      const beside = submitter?.closest(".form-actions, .submit-row") ?? form;
      if (WORDS[state]) {
        notify(beside, { state, again: send });
        return;
      }
      forget(beside);
      asked.add(form);
      send();
      asked.delete(form);
    },
    true,
  );

  // --- htmx -------------------------------------------------------------------------------------------------------

  // Before the list, or before what would have been replaced.
  const place = (event) => event.detail.target ?? event.target;

  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, pathInfo, elt } = event.detail;
    const problem = problemOf(xhr.status, xhr.responseText);
    if (!problem.signedOut) return void notify(place(event), { words: problem.message });
    // A search stands in the address: signing in leads back to what was typed.
    const isAddress = elt.closest("[hx-replace-url], [hx-push-url]");
    const back = isAddress ? pathInfo.finalRequestPath : location.pathname + location.search;
    notify(place(event), { state: "out", words: text.textList, signIn: signInFor(back), inPlace: true });
  });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => notify(place(event), { state: "offline" }));
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (xhr.status >= 400 && xhr.status !== 422) return;
    if (/<html[\s>]/i.test(xhr.responseText)) {
      // A whole page where a part was asked for.
      event.detail.shouldSwap = false;
      notify(target, { words: text.textUnexpected });
    } else forget(target);
  });

  return { session, problemOf, notify, forget };
})();
