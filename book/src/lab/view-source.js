"use strict";
// Shows the source of the numbers, and whether the numbers are exact.
var lab = lab || {};

lab.viewSource = (() => {
  const { find, count, percent } = lab.dom;

  /** True if the recorded logits are enough to show the exact result. */
  function exact({ after }, { settings: { topK, temperature, repetitionPenalty } }, recorded) {
    const known = new Set(recorded);
    if (after.some((p, id) => p > 0 && !known.has(id))) return false;
    return topK > 0 || temperature === 0 || (temperature === 1 && repetitionPenalty === 1);
  }

  function computed(page) {
    const all = `All ${count(page.source.size)} logits are computed in this page.`;
    const gap = page.source.difference(page.session.ids);
    if (gap === null) return all;
    return `${all} Python has recorded the ${page.recording.recorded} highest of this step: ` +
      `none differs by more than ${gap.toFixed(3)}.`;
  }

  function fromRecording(page, recorded) {
    const { before } = page.step;
    const rest = recorded.reduce((sum, id) => sum - before[id], 1);
    const others = count(page.source.size - recorded.length);
    const sure = exact(page.step, page.filters, recorded)
      ? "With these filters all that is shown is exact."
      : "With these filters they matter, so that some numbers are estimates.";
    return `Recorded by Python: the ${recorded.length} likeliest tokens are exact; the other ` +
      `${others} have ${percent(rest)} together, here in equal parts. ${sure}`;
  }

  function sentence(page, known) {
    if (!known) return "This step was not recorded.";
    return known.recorded ? fromRecording(page, known.recorded) : computed(page);
  }

  function model({ source, failed, session }) {
    if (failed) {
      return " The model cannot be loaded, so only recorded texts can be shown: the likeliest " +
        "token at each step. Undo leads back to them.";
    }
    if (!source.model) return " The model is being loaded.";
    const full = source.room(session.ids) <= 0;
    return full ? ` The text is as long as the model can read: ${source.positions} tokens.` : "";
  }

  const show = (page, known) =>
    (find("lab-source").textContent = sentence(page, known) + model(page));

  return { show, exact };
})();
