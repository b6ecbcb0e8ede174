"use strict";
// Each experiment opens a place in the recorded texts and sets the filters.
var lab = lab || {};

lab.scenes = (() => {
  const { find } = lab.dom;
  const SCENES = {
    loop: { filters: { temperature: 0 }, write: 80 },
    sure: { filters: { topK: 10 } },
    order: { filters: { temperature: 1.5, topP: 0.9 } },
    beams: { filters: {}, search: { numBeams: 4, maxNewTokens: 8, lengthPenalty: 1 } },
  };

  /** Opens a place that book/lab/scenes.py has found. */
  function go(page, name) {
    const { scenes, openings } = page.recording;
    const { opening, steps } = scenes[name];
    find("lab-opening").value = opening;
    page.open(openings[opening].prompt, openings[opening].path.slice(0, steps));
  }

  async function setUp(page, name) {
    const { filters, write, search } = SCENES[name];
    showOnly(name);
    await page.loading;
    page.filters.set(filters);
    go(page, name);
    if (write) await page.write(write);
    if (search) page.beams.set(search);
    if (search) page.beams.search();
  }

  function showOnly(name) {
    for (const section of document.querySelectorAll(".lab-scene")) {
      section.hidden = section.id !== `scene-${name}`;
    }
    find(`scene-${name}`).focus();
  }

  function listen(page) {
    for (const button of document.querySelectorAll("[data-scene]")) {
      button.addEventListener("click", () => setUp(page, button.dataset.scene));
    }
    for (const button of document.querySelectorAll("[data-place]")) {
      button.addEventListener("click", () => go(page, button.dataset.place));
    }
  }

  return { listen };
})();
