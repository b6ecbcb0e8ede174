// Searches the book. The first use of the box loads the index.
"use strict";

const searchBox = document.getElementById("search");
const searchField = searchBox.querySelector("input");
const searchStatus = searchBox.querySelector("[role=status]");
const searchList = searchBox.querySelector("ul");
const MOST = 20;
const NAMED = 1000; // more points than the words of a section can give
const AROUND = 70; // characters of text on each side of the match

let searchSections = null; // null until the index is loaded
let searchLoading = false;

function loadIndex() {
  if (searchSections || searchLoading) return;
  searchLoading = true;
  const script = document.createElement("script");
  script.src = `${path_to_root}search-index.js`;
  script.onload = () => {
    searchSections = [];
    for (const [page, sections] of Object.entries(window.searchIndex)) {
      const pageTitle = sections[0][1];
      for (const [id, title, text] of sections) {
        searchSections.push({ address: `${page}#${id}`, pageTitle, title, text });
      }
    }
    showResults();
  };
  script.onerror = () => {
    searchLoading = false; // the next key tries again
    searchStatus.textContent = "The index cannot be loaded.";
  };
  document.body.append(script);
}

// For each word, a pattern that matches at the beginning of a word.
function patterns(query) {
  const words = query.match(/[\p{L}\p{N}_]+/gu) ?? [];
  return words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}_])${word}`, "giu"));
}

const count = (text, pattern) => text.match(pattern)?.length ?? 0;

// A section's score: 0 unless the section has every word; titles count more than text, and
// the section that the query names counts most.
function score(section, wanted, query) {
  const of = (pattern) =>
    20 * count(section.title, pattern) + 5 * count(section.pageTitle, pattern) +
    Math.min(5, count(section.text, pattern));
  const scores = wanted.map(of);
  if (scores.includes(0)) return 0;
  const isNamed = section.title.toLowerCase() === query.trim().toLowerCase();
  return scores.reduce((sum, value) => sum + value, isNamed ? NAMED : 0);
}

function resultItem(section, wanted) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = path_to_root + section.address;
  link.textContent =
    section.title === section.pageTitle
      ? section.title
      : `${section.pageTitle} › ${section.title}`;
  const excerpt = document.createElement("span");
  excerpt.append(...excerptOf(section.text, wanted));
  item.append(link, excerpt);
  return item;
}

// The text around the first match, with the match marked.
function excerptOf(text, wanted) {
  const places = wanted.map((pattern) => text.search(pattern)).filter((at) => at >= 0);
  if (!places.length) return [text.slice(0, 2 * AROUND)];
  const at = Math.min(...places);
  const word = text.slice(at).match(/^[\p{L}\p{N}_]+/u)[0];
  const mark = document.createElement("mark");
  mark.textContent = word;
  const start = Math.max(0, at - AROUND);
  const end = at + word.length;
  return [
    (start ? "… " : "") + text.slice(start, at), mark, `${text.slice(end, end + AROUND)} …`,
  ];
}

// A reader may type before the box's toggle event, and before the index is loaded.
function showResults() {
  if (!searchSections) return loadIndex();
  const wanted = patterns(searchField.value);
  const found = wanted.length
    ? searchSections
        .map((section) => ({ section, points: score(section, wanted, searchField.value) }))
        .filter(({ points }) => points > 0)
        .sort((a, b) => b.points - a.points)
    : [];
  const shown = found.slice(0, MOST);
  searchList.replaceChildren(...shown.map(({ section }) => resultItem(section, wanted)));
  const sections = found.length === 1 ? "1 section" : `${found.length} sections`;
  searchStatus.textContent = wanted.length ? sections : "";
}

searchBox.addEventListener("toggle", (event) => {
  if (event.newState === "open") loadIndex();
});
searchField.addEventListener("input", showResults);
searchField.addEventListener("keydown", (event) => {
  if (event.key === "Escape") searchBox.hidePopover(); // by default Escape only clears the text
});
searchList.addEventListener("click", () => searchBox.hidePopover());
searchBox.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  searchList.querySelector("a")?.click();
});
document.addEventListener("keydown", (event) => {
  const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
  if (isPlain && ["/", "s"].includes(event.key) && !isTyping(event.target)) {
    event.preventDefault();
    searchBox.showPopover();
  }
});
