"use strict";
// The recorded training: the reader chooses a moment and a word.
var lab = lab || {};

lab.trainingPage = (() => {
  const { find, make, percent, count } = lab.dom;
  const { unpack } = lab.attentionShares;
  const { large, frame, sentence } = lab.attentionMatrix;
  const { Curve } = lab.trainingCurve;

  /** A token with visible spaces, as elsewhere in the book. */
  const shown = (token) => token.replaceAll(" ", "·");

  /** A duration in words. */
  function duration(seconds) {
    return seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
  }

  /** A moment's numbers in words. */
  function numbers({ step, seconds, loss, validation, bits_per_byte: bits }) {
    const training = loss === undefined ? "not measured yet" : loss.toFixed(2);
    return [
      ["step", count(step)],
      ["time", duration(seconds)],
      ["training loss", training],
      ["held-out loss", validation.toFixed(2)],
      ["bits per byte", bits.toFixed(2)],
    ];
  }

  class TrainingPage {
    constructor(recording) {
      this.recording = recording;
      this.tokens = recording.tokens.map((token) => token.trim());
      this.curve = new Curve(recording);
      find("training-curve").replaceChildren(this.curve.svg);
      this.slider = find("training-moment");
      this.slider.max = recording.moments.length - 1;
      this.slider.value = this.slider.max;
      this.word = find("training-word");
      const options = recording.words.map((word, value) =>
        make("option", { value }, shown(word)));
      this.word.append(...options);
      this.slider.addEventListener("input", () => this.show());
      this.word.addEventListener("change", () => this.showNeighbours());
      this.show();
    }

    get moment() {
      return this.recording.moments[this.slider.valueAsNumber];
    }

    /** Shows everything at the chosen moment. */
    show() {
      const { moment } = this;
      const where = `step ${count(moment.step)}, ${percent(moment.done)} of the training`;
      find("training-where").value = where;
      const loss = `held-out loss ${moment.validation.toFixed(2)}`;
      this.slider.setAttribute("aria-valuetext", `${where}, ${loss}`);
      this.showNumbers(numbers(moment));
      this.curve.mark(moment);
      this.showStory(moment.story);
      this.showHead(moment.shares);
      this.showNeighbours();
    }

    showNumbers(numbers) {
      const rows = numbers.map(([name, value]) =>
        make("div", {}, make("dt", {}, name), make("dd", {}, value)));
      find("training-numbers").replaceChildren(...rows);
    }

    showStory(story) {
      const { prompt } = this.recording;
      const given = make("span", { className: "training-given" }, prompt);
      find("training-story").replaceChildren(given, story.slice(prompt.length));
    }

    showHead(packed) {
      const { tokens } = this;
      const [[matrix]] = unpack({ tokens, shares: packed }, 1, 1).shares;
      const drawing = large(matrix, tokens);
      find("training-matrix").replaceChildren(drawing);
      const last = tokens.length - 1;
      frame(drawing, last);
      const { layer, head } = this.recording.head;
      const words = sentence(matrix[last], tokens, last);
      find("training-says").textContent = `Block ${layer}, head ${head}. The last token: ${words}`;
    }

    showNeighbours() {
      const rows = this.moment.neighbours[this.word.value].map(([token, cosine]) =>
        make("tr", {}, make("th", { scope: "row" }, shown(token)),
          make("td", {}, cosine.toFixed(2))));
      find("training-neighbours").tBodies[0].replaceChildren(...rows);
    }
  }

  return { TrainingPage };
})();

lab.dom.find("training").hidden = false;
lab.page = new lab.trainingPage.TrainingPage(lab.training);
