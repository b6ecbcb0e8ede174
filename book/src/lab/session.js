"use strict";
// The text, which grows token by token, and its history for undo.
var lab = lab || {};

lab.session = (() => {
  class Session {
    constructor() {
      this.open([]);
    }

    /** Starts again with other ids. */
    open(ids, written = []) {
      this.opening = ids.length;
      this.ids = [...ids, ...written];
      this.before = [];
    }

    restart() {
      this.change(this.ids.slice(0, this.opening));
    }

    add(id) {
      this.change([...this.ids, id]);
    }

    /** Removes a token and all later ones; at least one token stays. */
    cut(length) {
      this.change(this.ids.slice(0, Math.max(1, length)));
    }

    change(ids) {
      this.before.push(this.ids);
      this.ids = ids;
    }

    undo() {
      this.ids = this.before.pop() ?? this.ids;
    }

    /** Makes all changes since a `length` of the history one step to undo. */
    join(length) {
      this.before.length = Math.min(this.before.length, length + 1);
    }
  }

  return { Session };
})();
