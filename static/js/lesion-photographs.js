// Show one photograph of a lesion at a time, chosen by its small picture or by the keys , and . (without a script: all).
(() => {
  const root = document.querySelector("[data-lesion-photographs]");
  const links = root ? [...root.querySelectorAll("[data-photograph-choice]")] : [];
  if (!links.length) return;
  let shown = 0;

  const show = (number) => {
    shown = (number + links.length) % links.length;
    links.forEach((link, index) => {
      document.getElementById(link.dataset.photographChoice).hidden = index !== shown;
      if (index === shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  links.forEach((link, index) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      show(index);
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.documentElement.dataset.keys === "off") return;
    if (event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    const by = { ",": -1, ".": 1 }[event.key];
    if (by) show(shown + by);
  });
  show(0);
})();
