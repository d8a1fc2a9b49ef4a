"use strict";
// Texts with their words coloured by a method's scores for a class: filter, search, class and method, by mouse and keyboard.
// All text is set as text, never as HTML: it can be anything.
(() => {
  const root = document.getElementById("words-viewer");
  const data = JSON.parse(document.getElementById("words-data").textContent);
  const methods = Object.keys(data.methods);
  const UNKNOWN = -32768; // a score that is no number
  const FIRST = "", MORE = 20; // the class that is explained first; texts that are added at a time
  const state = { method: data.method, kind: FIRST, only: "all", query: "", shown: MORE };

  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("aria-") || name === "role") element.setAttribute(name, value);
      else element[name] = value;
    }
    element.append(...children);
    return element;
  };

  // --- numbers -------------------------------------------------------------------------------------------------------

  const unpacked = new Map();
  const numbersOf = (text) => {
    if (!unpacked.has(text)) {
      const bytes = Uint8Array.from(atob(text.values), (letter) => letter.charCodeAt(0));
      unpacked.set(text, new DataView(bytes.buffer));
    }
    return unpacked.get(text);
  };
  const placeOf = (text) => (state.kind === FIRST ? 0 : text.classes.indexOf(state.kind)); // -1: the class is not explained
  const score = (text, place, word) => { // the special tokens stand behind the last word
    const method = methods.indexOf(state.method), size = text.words.length + 1;
    const steps = numbersOf(text).getInt16(2 * ((method * text.classes.length + place) * size + word), true);
    return steps === UNKNOWN ? NaN : steps * text.scales[method];
  };
  const signed = (value) => Number.isNaN(value) ? "n/a" : (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
  const percent = (value) => `${(100 * value).toFixed(1)} %`;

  const apart = (...words) => make("bdi", {}, ...words); // numbers beside words written from right to left stay in their order

  // --- words ---------------------------------------------------------------------------------------------------------

  const names = (list) => list.join(" and ") || "no label";
  const told = (text) => {
    const truth = text.true === null ? "" : `; labelled ${names(text.true)}`;
    return `${names(text.said)}, ${(100 * text.confidence).toFixed(0)} % sure${truth}`;
  };
  const ground = (share) => (share > 0 ? `rgba(178, 24, 43, ${0.6 * share})` : `rgba(33, 102, 172, ${-0.6 * share})`);
  const matches = (text) =>
    (state.only !== "mistakes" || text.mistake) && (state.only !== "right" || !text.mistake) && placeOf(text) >= 0 &&
    text.text.toLowerCase().includes(state.query.toLowerCase());

  const coloured = (text) => {
    const line = make("p", { className: "coloured" }), place = placeOf(text);
    const values = text.words.map((_, word) => score(text, place, word));
    const largest = Math.max(...values.filter((value) => !Number.isNaN(value)).map(Math.abs), 1e-12);
    const letters = [...text.text]; // as Python counts them, emoji as one
    let at = 0;
    text.words.forEach(([start, end], word) => {
      const said = letters.slice(start, end).join(""), between = letters.slice(at, start).join("");
      const span = make("span", {
        className: `word${values[word] < 0 ? " against" : ""}`, tabIndex: word ? -1 : 0, role: "option", textContent: said,
        title: signed(values[word]), "aria-label": `${said} ${signed(values[word])}`,
      });
      if (!Number.isNaN(values[word])) span.style.background = ground(values[word] / largest);
      span.addEventListener("focus", () => show(text, place, said, values[word]));
      span.addEventListener("mouseenter", () => show(text, place, said, values[word]));
      line.append(between, span);
      at = end;
    });
    line.append(letters.slice(at).join(""));
    line.setAttribute("role", "listbox");
    line.setAttribute("aria-orientation", "horizontal");
    line.setAttribute("aria-label", `words for ${text.classes[place]}`);
    return line;
  };
  const flips = (text) => text.flips.map((flip) => { // the flipped text itself, since the page on flips lists no single texts
    const number = data.classes.indexOf(text.classes[placeOf(text)]);
    const [before, after] = [text.probabilities[number], flip.probabilities[number]];
    const parts = [], letters = [...flip.text];
    let at = 0;
    for (const [start, end] of flip.changed) {
      parts.push(letters.slice(at, start).join(""), make("mark", { textContent: letters.slice(start, end).join("") }));
      at = end;
    }
    parts.push(letters.slice(at).join(""));
    return make("p", { className: "hint flip" }, `${flip.axis} flipped: \u201c`, apart(...parts), "\u201d; P(", apart(data.classes[number]),
      `) ${percent(before)} \u2192 ${percent(after)} (${signed(after - before)})`);
  });
  const show = (text, place, said, value) => {
    const number = data.classes.indexOf(text.classes[place]);
    panel.replaceChildren("\u201c", apart(said), `\u201d ${signed(value)} for `, apart(text.classes[place]),
      `, of which the text has ${percent(text.probabilities[number])}`);
  };

  // --- the parts -----------------------------------------------------------------------------------------------------

  const choice = (label, name, options) => {
    const select = make("select", {}, ...options.map(([value, shown]) => make("option", { value, textContent: shown, selected: value === state[name] })));
    select.addEventListener("change", () => { state[name] = select.value; state.shown = MORE; draw(); });
    return make("label", {}, `${label} `, select);
  };
  const search = make("input", { type: "search", id: "words-search" });
  search.addEventListener("input", () => { state.query = search.value; state.shown = MORE; draw(); });
  const panel = make("p", { className: "value", "aria-live": "polite" });
  const count = make("p", { className: "hint", role: "status" });
  const list = make("ol", { className: "explained" });
  const more = make("button", { type: "button", className: "save", textContent: "more texts" });
  more.addEventListener("click", () => { state.shown += MORE; draw(); });

  const draw = () => {
    const found = data.texts.filter(matches);
    count.textContent = `${found.length} of ${data.texts.length} texts`;
    list.replaceChildren(...found.slice(0, state.shown).map((text) => {
      const special = score(text, placeOf(text), text.words.length);
      const about = `${told(text)}; explained: ${text.classes[placeOf(text)]}${Math.abs(special) > 5e-4 ? `; special tokens ${signed(special)}` : ""}`;
      return make("li", { className: text.mistake ? "mistake" : "" }, make("p", { className: "about", textContent: about }), coloured(text), ...flips(text));
    }));
    more.hidden = found.length <= state.shown;
    panel.textContent = "Point at a word, or move among words with the arrow keys, to read its score.";
  };
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    const line = event.target.closest(".coloured");
    if (step === undefined || !line) return;
    const words = [...line.querySelectorAll(".word")];
    const next = words[Math.min(Math.max(words.indexOf(event.target) + step, 0), words.length - 1)];
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  });

  root.replaceChildren(
    make("div", { className: "choices" },
      choice("method", "method", methods.map((name) => [name, data.methods[name]])),
      choice("class", "kind", [[FIRST, "each text's own"], ...data.classes.map((name) => [name, name])]),
      choice("texts", "only", [["all", "all, confident mistakes first"], ["mistakes", "mistakes"], ["right", "the others"]]),
      make("label", {}, "search ", search)),
    make("p", { className: "legend" }, make("span", { className: "sample for", textContent: "speaks for the class" }),
      make("span", { className: "sample against", textContent: "speaks against it" }), "as deep as the score, by the largest of its text"),
    panel, count, list, more);
  draw();
})();
