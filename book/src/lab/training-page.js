"use strict";
// The recorded training: the reader chooses a moment and a word.
var lab = lab || {};

lab.trainingPage = (() => {
  const { find, make, percent, count } = lab.dom;
  const { shown, quoted, chip } = lab.token;
  const { Curve } = lab.trainingCurve;

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

  /** The rows of shares [1], [2], … [T] of a recording, which has no hidden ones. */
  function unpack(packed, length) {
    const flat = lab.unpack.array(Uint16Array, packed);
    const start = (t) => (t * (t + 1)) / 2;
    return Array.from({ length }, (_, t) =>
      Array.from(flat.subarray(start(t), start(t + 1)), (step) => step / 65535));
  }

  /** A sentence about a token's largest shares. */
  function sentence(row, tokens) {
    const asking = row.length - 1;
    const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
    const places = order.slice(0, 3).map((j) =>
      `${j === asking ? "itself" : quoted(tokens[j])} ${percent(row[j])}`);
    return `${quoted(tokens[asking])} looks at ${places.join(", ")}.`;
  }

  class TrainingPage {
    constructor(recording) {
      this.recording = recording;
      this.tokens = recording.tokens;
      this.asking = this.tokens.length - 1;
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
      const shares = unpack(packed, this.tokens.length);
      const sheet = {
        title: "shares", shape: "", label: "The shares of each token",
        rows: this.tokens.map(chip), tops: this.tokens.map(chip), columns: this.tokens.length,
        value: (row, column) => shares[row][column] ?? 0,
      };
      const point = (row, column) => this.ask(shares, row, column);
      this.grid = new lab.grid.Grid(sheet, { scale: 1, point });
      find("training-matrix").replaceChildren(this.grid.element);
      this.ask(shares, this.asking, null);
    }

    /** Says where a token looks, and marks the chosen cell. */
    ask(shares, asking, column) {
      this.asking = asking;
      this.grid.show({ cursor: column === null ? null : [asking, column] });
      const { layer, head } = this.recording.head;
      const words = sentence(shares[asking], this.tokens);
      find("training-says").textContent = `Block ${layer}, head ${head}. ${words}`;
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
