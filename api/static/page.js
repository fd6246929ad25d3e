// The connection's state, said plainly, and what a person folded stays folded when the list renews itself.
(function () {
  "use strict";
  const link = document.getElementById("link");
  const lost = document.getElementById("lost");
  if (link && !document.body.hasAttribute("sse-connect")) link.hidden = true;  // this page shows nothing that changes
  function show(on) {
    if (!link) return;
    link.textContent = on ? link.dataset.on : link.dataset.off;
    link.className = "link " + (on ? "on" : "off");
    lost.hidden = on;
  }
  // A refused stream may mean that the sign-in has ended: then the page itself answers with the way to sign in.
  let asking = false;
  function askWhetherSignedIn() {
    if (asking) return;
    asking = true;
    fetch(location.href, { redirect: "manual", cache: "no-store" })
      .then((answer) => { if (answer.type === "opaqueredirect" || answer.status === 401) location.reload(); })
      .catch(() => {})
      .finally(() => { setTimeout(() => { asking = false; }, 10000); });
  }
  document.body.addEventListener("htmx:sseOpen", () => show(true));
  document.body.addEventListener("htmx:sseError", () => { show(false); askWhetherSignedIn(); });
  document.body.addEventListener("htmx:sseClose", () => show(false));
  const folded = new Set();
  document.body.addEventListener("toggle", (event) => {
    const key = event.target.dataset && event.target.dataset.keep;
    if (key) event.target.open ? folded.delete(key) : folded.add(key);
  }, true);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    event.target.querySelectorAll("details[data-keep]").forEach((one) => { if (folded.has(one.dataset.keep)) one.open = false; });
    if (event.target.id === "phone") event.target.scrollTop = event.target.scrollHeight;
  });
  // A part that could not be renewed, as too many asked at once, is asked for again: it may be what tells of an alert.
  document.body.addEventListener("htmx:responseError", (event) => {
    const { xhr, requestConfig, target } = event.detail;
    if (requestConfig.verb !== "get" || ![429, 502, 503, 504].includes(xhr.status)) return;
    setTimeout(() => { if (document.body.contains(target)) htmx.ajax("GET", requestConfig.path, { target, swap: "innerHTML" }); }, 2000 + Math.random() * 1000);
  });
  const print = document.getElementById("print");
  if (print) print.addEventListener("click", () => window.print());
  const phone = document.getElementById("phone");
  if (phone) phone.scrollTop = phone.scrollHeight;
})();
