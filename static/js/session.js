// Nothing is lost when a session ends while a page is open. Before a form is sent, the page checks the session and
// fetches a fresh CSRF token. If the session has ended, the input stays and a notice offers to sign in and continue.
// Failed htmx requests for lists show the reason.
globalThis.dermascan = (() => {
  const template = document.getElementById("request-notice");
  if (!template) return null;
  const text = template.dataset;
  const ASK_MS = 10_000;

  // Return {code, message, retryAfter, signedOut} of an error response, with a general message if the response is not a
  // problem document (a proxy's 502 page, for example).
  function problemOf(status, body) {
    let problem = null;
    try {
      problem = JSON.parse(body);
    } catch {
      // Not JSON.
    }
    return {
      code: problem?.code ?? "",
      message: problem?.detail || problem?.title || text.textUnexpected,
      retryAfter: Number(problem?.retry_after) || 0,
      signedOut: status === 401,
    };
  }

  // The state: "in" (with a fresh CSRF token), "out", "other" (another user), "offline" or "unknown".
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
    const current = answer.ok ? await answer.json().catch(() => null) : null;
    if (!current?.csrf_token) return { state: "unknown" };
    if (current.user !== text.user) return { state: "other" };
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = current.csrf_token;
    return { state: "in", token: current.csrf_token };
  }

  const WORDS = { out: text.textSignedOut, other: text.textOther, offline: text.textOffline };

  // Show one notice before `place`. Its button calls `again`.
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
      // Only forms that create or change something have a key; visitors' forms need no session.
      if (!text.user || form.method !== "post" || !form.querySelector("[name=idempotency_key]")) return;
      if (form.matches("[data-own-requests]") || submitter?.formTarget === "_blank" || asked.delete(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (asking.has(form)) return;
      asking.add(form);
      const { state } = await session();
      asking.delete(form);
      const send = () => form.requestSubmit(submitter);
      // Near the user's focus: above the buttons of a long form.
      const anchor = submitter?.closest(".form-actions, .submit-row") ?? form;
      if (WORDS[state]) {
        notify(anchor, { state, again: send });
        return;
      }
      forget(anchor);
      asked.add(form);
      send();
      asked.delete(form);
    },
    true,
  );

  // --- htmx -------------------------------------------------------------------------------------------------------

  // Before the list, or before the element that would have been replaced.
  const place = (event) => event.detail.target ?? event.target;

  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, pathInfo, elt } = event.detail;
    const problem = problemOf(xhr.status, xhr.responseText);
    if (!problem.signedOut) return void notify(place(event), { words: problem.message });
    // The URL contains the search, so signing in returns to it.
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
      // A full page instead of a fragment.
      event.detail.shouldSwap = false;
      notify(target, { words: text.textUnexpected });
    } else forget(target);
  });

  return { session, problemOf, notify, forget };
})();
