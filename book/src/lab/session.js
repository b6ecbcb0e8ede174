"use strict";
// The text as it grows, token by token, with a way back.
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

    /** Goes back to the place before a token; the text keeps at least one. */
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

    /** Makes what was changed since `length` steps of history one step to undo. */
    join(length) {
      this.before.length = Math.min(this.before.length, length + 1);
    }
  }

  return { Session };
})();
