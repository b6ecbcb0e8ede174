"use strict";
// The list of openings, and the field for the reader's own.
var lab = lab || {};

lab.viewOpening = (() => {
  const { find, make } = lab.dom;
  const ROOM = 50; // tokens of the context that an opening must leave free

  function openOwn(page) {
    const input = find("lab-own-text");
    const ids = page.tokenizer.encode(input.value);
    const most = page.source.positions - ROOM;
    const long = ids.length > most;
    input.setCustomValidity(long ? `This is ${ids.length} tokens; use at most ${most}.` : "");
    if (input.reportValidity()) page.open(ids);
  }

  function listen(page) {
    const select = find("lab-opening");
    const { openings } = page.recording;
    select.append(...openings.map(({ text }, value) => make("option", { value }, text)));
    select.addEventListener("change", () => page.open(openings[select.value].prompt));
    find("lab-own-text").addEventListener("input", (event) => event.target.setCustomValidity(""));
    find("lab-own").addEventListener("submit", async (event) => {
      event.preventDefault();
      await page.loading;
      openOwn(page);
    });
  }

  return { listen };
})();
