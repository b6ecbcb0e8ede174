// The functions of every page: copy code, scroll by keyboard, go to the next page.
"use strict";

const isTyping = (target) => /^(input|select|textarea)$/i.test(target.nodeName);

// Marks the open page in the contents.
for (const link of document.querySelectorAll(".contents a")) {
  const isIndex = location.pathname.endsWith("/") || location.pathname.endsWith("/index.html");
  const isFirst = link === document.querySelector(".contents a");
  if (link.pathname === location.pathname || (isIndex && isFirst)) {
    link.setAttribute("aria-current", "page");
    link.scrollIntoView({ block: "nearest" });
  }
}
window.scrollTo(0, window.scrollY);

// Adds a copy button after each command and in each block of code.
function addCopyButton(code, parent, what) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${what}`);
  button.addEventListener("click", async () => {
    const text = code.textContent.trimEnd();
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  parent.append(button);
}
for (const code of document.querySelectorAll(".command > code")) {
  addCopyButton(code, code.parentElement, code.textContent);
}
for (const code of document.querySelectorAll("pre.code > code")) {
  const box = document.createElement("div");
  box.className = "copyable";
  code.parentElement.replaceWith(box);
  box.append(code.parentElement);
  if (!code.parentElement.matches(".output")) addCopyButton(code, box, "this code");
}

// What is wider than the page scrolls sideways. An arrow at an edge (wide.css) says that
// something is hidden behind it, and the keyboard can stop here and scroll.
const WIDE = { pre: "Code", ".table-wrapper": "Table", ".equation": "Equation", ".scroll": "Figure" };
const isWide = Object.keys(WIDE).join();

function markWide() {
  for (const box of document.querySelectorAll(isWide)) {
    const most = box.scrollWidth - box.clientWidth;
    if (most > 1) {
      const kind = Object.keys(WIDE).find((selector) => box.matches(selector));
      const hidden = { left: box.scrollLeft > 1, right: box.scrollLeft < most - 1 };
      box.dataset.hides = Object.keys(hidden).filter((side) => hidden[side]).join(" ");
      box.tabIndex = 0;
      if (!box.hasAttribute("role")) box.setAttribute("role", "group");
      if (!box.hasAttribute("aria-label")) box.setAttribute("aria-label", WIDE[kind]);
    } else if ("hides" in box.dataset) {
      delete box.dataset.hides;
      box.removeAttribute("tabindex");
    }
  }
}

// Many changes of the page lead to one look at it, before the browser paints.
let looksSoon = false;
function markWideSoon() {
  if (looksSoon) return;
  looksSoon = true;
  requestAnimationFrame(() => {
    looksSoon = false;
    markWide();
  });
}
new ResizeObserver(markWideSoon).observe(document.body);
new MutationObserver(markWideSoon).observe(document.querySelector("main"), { childList: true, subtree: true });
for (const event of ["toggle", "scroll"]) document.addEventListener(event, markWideSoon, true);

// The left and right arrow keys open the previous and the next page.
document.addEventListener("keydown", (event) => {
  const side = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const hasModifier = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  const ownsArrows = event.target.closest("input, select, textarea, [tabindex='0'], [role]");
  if (side && !hasModifier && !ownsArrows && !event.defaultPrevented) {
    document.querySelector(`.neighbours a[rel=${side}]`)?.click();
  }
});
