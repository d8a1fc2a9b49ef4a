"use strict";
// The attention viewer: every head of every block for a few sentences, by mouse and keyboard, from the data in the page.
// All text is set as text, never as HTML: tokens can be anything.
(() => {
  const root = document.getElementById("attention-viewer");
  const data = JSON.parse(document.getElementById("attention-data").textContent);
  const { blocks, heads } = data;
  const MEAN = heads, ROLLOUT = heads + 1, EFFECT = heads + 2; // views beside the heads
  const ALL = blocks; // the mean, or the effect, of all blocks together
  const NONE = 65535; // no value: a first token has nothing to block
  const state = { ...data.start, source: 0, target: 0 };
  let sentence; // tokens, and the stored numbers of every view

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

  const unpack = ({ tokens, values }) => {
    const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
    const size = data.ahead ? tokens.length ** 2 : (tokens.length * (tokens.length + 1)) / 2;
    return { tokens, numbers: new DataView(bytes.buffer), size };
  };
  const viewNumber = (block, column) => (block < ALL ? block * (heads + 2) + column : blocks * (heads + 2) + (column === EFFECT ? 1 : 0));
  const lastTarget = (source) => (data.ahead ? sentence.tokens.length - 1 : source); // that the source can look at
  const rowStart = (source) => (data.ahead ? source * sentence.tokens.length : (source * (source + 1)) / 2);
  const stored = (block, column, source, target) =>
    sentence.numbers.getUint16(2 * (viewNumber(block, column) * sentence.size + rowStart(source) + target), true);
  const scaleOf = (column) => (column === EFFECT ? data.effect_scale : data.weight_scale);
  const largest = (block, column) => {
    if (column !== EFFECT) return 1;
    let most = 0;
    for (let source = 0; source < sentence.tokens.length; source++)
      for (let target = 0; target <= lastTarget(source); target++) {
        const value = stored(block, column, source, target);
        if (value !== NONE) most = Math.max(most, value);
      }
    return most / scaleOf(column) || 1;
  };
  const shown = (value, column) => (value === NONE ? "nothing to block" : (value / scaleOf(column)).toFixed(Math.log10(scaleOf(column))));

  // --- words and colours ---------------------------------------------------------------------------------------------

  const columnName = (column) => (column < heads ? `head ${column}` : { [MEAN]: "mean of heads", [ROLLOUT]: "rollout", [EFFECT]: "effect of blocking" }[column]);
  const viewName = ({ block, column }) => `${block === ALL ? "all blocks" : `block ${block}`}, ${columnName(column)}`;
  const explanation = ({ block, column }) => {
    if (column === EFFECT) return "how far the answer moves when no head of any block lets the source look at the target (nats)";
    if (column === ROLLOUT) return `how much of the target's word would be left in the source after block ${block} if attention alone moved words`;
    if (column === MEAN) return block === ALL ? "mean weight over every head of every block" : "mean weight over the block's heads";
    return "share of this head's attention that goes from the source to the target";
  };
  const STOPS = [[255, 255, 255], [158, 202, 225], [33, 113, 181], [8, 40, 90]];
  const mix = (share) => { // 0 to 1, white to dark blue; the square root lets small weights be seen
    const place = Math.sqrt(Math.min(Math.max(share, 0), 1)) * (STOPS.length - 1);
    const first = Math.min(Math.floor(place), STOPS.length - 2);
    return STOPS[first].map((part, i) => Math.round(part + (STOPS[first + 1][i] - part) * (place - first)));
  };
  const colour = (share) => `rgb(${mix(share).join(", ")})`;
  const shareOf = (value, column, most) => (value === NONE ? 0 : value / scaleOf(column) / most);

  const unitOf = (column) => (column === EFFECT ? "nats" : "weight");
  const ticks = (column, most) => [0, 0.01, 0.1, 0.25, 0.5, 1].map((share) => [share, column === EFFECT ? Number((share * most).toPrecision(2)) : String(share)]);

  // --- parts of the page ---------------------------------------------------------------------------------------------

  const choice = (label, options) => {
    const select = make("select", {}, ...options.map(([value, text]) => make("option", { value, textContent: text })));
    return [make("label", {}, `${label} `, select), select];
  };
  const counted = (count) => Array.from({ length: count }, (_, number) => [number, String(number)]);
  const [sentenceLabel, sentenceChoice] = choice("Sentence", data.sentences.map(({ text }, number) => [number, text]));
  const [blockLabel, blockChoice] = choice("Block", [...counted(blocks), [ALL, "all blocks"]]);
  const [columnLabel, columnChoice] = choice("Head", [...counted(heads), ...[MEAN, ROLLOUT, EFFECT].map((column) => [column, columnName(column)])]);
  const save = make("button", { type: "button", textContent: "Save this picture as SVG", className: "save" });
  const title = make("strong", { className: "view" });
  const about = make("span");
  const status = make("p", { className: "value", role: "status" });
  const legend = make("p", { className: "legend" });
  const overview = make("div", { className: "overview", role: "group", "aria-label": "Every head of every block; arrow keys move between them" });
  const map = make("table", { className: "map", role: "grid" });
  const list = make("table", { className: "list" });
  const thumbnails = []; // { block, column, button, canvas }

  const thumbnail = (block, column) => {
    const canvas = make("canvas");
    const name = viewName({ block, column });
    const button = make("button", { type: "button", title: name, tabIndex: -1, "aria-label": name, "aria-pressed": "false" }, canvas);
    button.dataset.block = block;
    button.dataset.column = column;
    button.addEventListener("click", () => choose({ block, column }));
    thumbnails.push({ block, column, button, canvas });
    return button;
  };

  const buildOverview = () => {
    const names = [...counted(heads).map(([, name]) => name), "mean", "rollout"];
    const heading = (name) => make("th", { scope: "col" }, make("span", { textContent: name }));
    const table = make("table", {}, make("tr", {}, make("td"), ...names.map(heading)));
    for (let block = 0; block < blocks; block++) {
      const cells = Array.from({ length: heads + 2 }, (_, column) => make("td", {}, thumbnail(block, column)));
      table.append(make("tr", {}, make("th", { scope: "row", textContent: block }), ...cells));
    }
    const together = make("p", {}, "all blocks: ", thumbnail(ALL, MEAN), " mean ", thumbnail(ALL, EFFECT), " effect of blocking");
    overview.append(make("p", { className: "hint", textContent: "rows: blocks; columns: heads" }), table, together);
  };

  // --- drawing -------------------------------------------------------------------------------------------------------

  const drawThumbnails = () => {
    const size = sentence.tokens.length;
    for (const { block, column, canvas } of thumbnails) {
      canvas.width = canvas.height = size;
      const context = canvas.getContext("2d");
      const image = context.createImageData(size, size);
      const most = largest(block, column);
      for (let source = 0, place = 0; source < size; source++)
        for (let target = 0; target < size; target++, place += 4) {
          const parts = target > lastTarget(source) ? [238, 241, 244] : mix(shareOf(stored(block, column, source, target), column, most));
          image.data.set([...parts, 255], place);
        }
      context.putImageData(image, 0, 0);
    }
  };

  const buildMap = () => {
    const { tokens } = sentence;
    const named = (token, number) => make("span", { textContent: token, title: `${token} (${number})` });
    const head = make("tr", {}, make("td", { className: "corner" }), ...tokens.map((token, number) => make("th", { scope: "col" }, named(token, number))));
    const rows = tokens.map((token, source) => {
      const cells = tokens.map((_, target) => {
        const cell = make("td", { className: target > lastTarget(source) ? "later" : "cell" });
        if (target <= lastTarget(source)) {
          cell.tabIndex = -1;
          cell.setAttribute("role", "gridcell");
          cell.dataset.source = source;
          cell.dataset.target = target;
        }
        return cell;
      });
      return make("tr", {}, make("th", { scope: "row" }, named(token, source)), ...cells);
    });
    map.replaceChildren(head, ...rows);
    list.replaceChildren();
  };

  const cellAt = (source, target) => map.rows[source + 1].cells[target + 1];

  const drawMap = () => {
    const { block, column } = state;
    const most = largest(block, column);
    sentence.tokens.forEach((_, source) => {
      for (let target = 0; target <= lastTarget(source); target++) {
        const value = stored(block, column, source, target);
        const cell = cellAt(source, target);
        cell.style.backgroundColor = colour(shareOf(value, column, most));
        cell.setAttribute("aria-label", pairText(source, target));
      }
    });
    const swatches = ticks(column, most).map(([share, text]) => {
      const swatch = make("i");
      swatch.style.backgroundColor = colour(share);
      return make("span", {}, swatch, ` ${text}`);
    });
    legend.replaceChildren(`${unitOf(column)}: `, ...swatches);
    title.textContent = viewName(state);
    about.textContent = `: ${explanation(state)}.`;
    map.setAttribute("aria-label", `${viewName(state)}: rows are sources, columns are targets`);
  };

  const pairText = (source, target) => {
    const named = (number) => `${sentence.tokens[number]} (${number})`;
    return `${named(source)} → ${named(target)}: ${shown(stored(state.block, state.column, source, target), state.column)}`;
  };

  const point = (source, target) => { // say one value, and list all of its source
    const { block, column } = state;
    status.textContent = `${viewName(state)}: ${pairText(source, target)}`;
    const values = sentence.tokens.slice(0, lastTarget(source) + 1).map((_, number) => stored(block, column, source, number));
    const most = Math.max(...values.filter((value) => value !== NONE), 1);
    const rows = values.map((value, number) => {
      const bar = make("i");
      bar.style.width = `${value === NONE ? 0 : (100 * value) / most}%`;
      const name = make("th", { scope: "row", textContent: sentence.tokens[number] });
      const cells = [name, make("td", { textContent: shown(value, column) }), make("td", {}, bar)];
      return make("tr", { className: number === target ? "current" : "" }, ...cells);
    });
    const caption = make("caption", { textContent: `${sentence.tokens[source]} (${source}) looks at` });
    list.replaceChildren(caption, make("tbody", {}, ...rows));
    for (const marked of map.querySelectorAll(".current")) marked.classList.remove("current");
    map.rows[source + 1].cells[0].classList.add("current");
    map.rows[0].cells[target + 1].classList.add("current");
  };

  const mark = () => { // the selected thumbnail and cell are the ones that the tab key reaches
    for (const { block, column, button } of thumbnails) {
      const selected = block === state.block && column === state.column;
      button.setAttribute("aria-pressed", selected);
      button.tabIndex = selected ? 0 : -1;
    }
    for (const cell of map.querySelectorAll("[aria-selected]")) {
      cell.removeAttribute("aria-selected");
      cell.tabIndex = -1;
    }
    const cell = cellAt(state.source, state.target);
    cell.setAttribute("aria-selected", "true");
    cell.tabIndex = 0;
    point(state.source, state.target);
  };

  const fit = () => { // cells and thumbnails as large as the window allows
    const height = Math.max(420, Math.min(window.innerHeight, 1000) - 215);
    const within = (low, size, high) => Math.max(low, Math.min(Math.floor(size), high));
    const narrow = root.clientWidth < 900; // its parts stand one below the other
    const column = (narrow ? 0.9 : 0.3) * root.clientWidth / (heads + 3); // leaves the map its room, whatever the heads
    root.style.setProperty("--thumbnail", `${within(11, Math.min((height - 60) / blocks, column) - 2, 34)}px`);
    const width = narrow ? 340 : root.clientWidth - overview.offsetWidth - 360;
    root.style.setProperty("--cell", `${within(13, Math.min(height - 75, width) / sentence.tokens.length - 1, 36)}px`);
  };

  // --- choosing ------------------------------------------------------------------------------------------------------

  const choose = (change) => {
    Object.assign(state, change);
    // every block has its heads, their mean and rollout; all blocks together have a mean and the effect
    if ("block" in change && state.block === ALL && state.column !== EFFECT) state.column = MEAN;
    if (state.block !== ALL && state.column === EFFECT) {
      if ("column" in change) state.block = ALL;
      else state.column = MEAN;
    }
    if (state.block === ALL && (state.column < heads || state.column === ROLLOUT)) state.block = blocks - 1;
    sentenceChoice.value = state.sentence;
    blockChoice.value = state.block;
    columnChoice.value = state.column;
    drawMap();
    mark();
  };

  const read = (number) => {
    sentence = unpack(data.sentences[number]);
    const last = sentence.tokens.length - 1;
    buildMap();
    drawThumbnails();
    fit();
    choose({ sentence: number, source: last, target: 0 });
  };

  sentenceChoice.addEventListener("change", () => read(Number(sentenceChoice.value)));
  blockChoice.addEventListener("change", () => choose({ block: Number(blockChoice.value) }));
  columnChoice.addEventListener("change", () => choose({ column: Number(columnChoice.value) }));
  window.addEventListener("resize", fit);

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  overview.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const block = Math.min(Math.max(state.block + step[0], 0), ALL);
    const columns = block === ALL ? [MEAN, EFFECT] : Array.from({ length: heads + 2 }, (_, column) => column);
    const here = block === state.block ? columns.indexOf(state.column) : columns.indexOf(state.column === EFFECT ? MEAN : state.column);
    const column = columns[Math.min(Math.max((here < 0 ? 0 : here) + step[1], 0), columns.length - 1)];
    choose({ block, column });
    thumbnails.find((one) => one.block === state.block && one.column === state.column).button.focus();
  });

  map.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    const last = sentence.tokens.length - 1;
    if (step) {
      state.source = Math.min(Math.max(state.source + step[0], 0), last);
      state.target = Math.min(Math.max(state.target + step[1], 0), lastTarget(state.source));
    } else state.target = event.key === "Home" ? 0 : lastTarget(state.source);
    mark();
    cellAt(state.source, state.target).focus();
  });

  const pairOf = (event) => {
    const { source, target } = event.target.dataset;
    return source === undefined ? null : { source: Number(source), target: Number(target) };
  };
  map.addEventListener("mouseover", (event) => {
    const pair = pairOf(event);
    if (pair) point(pair.source, pair.target);
  });
  map.addEventListener("mouseleave", () => point(state.source, state.target));
  map.addEventListener("click", (event) => {
    const pair = pairOf(event);
    if (!pair) return;
    Object.assign(state, pair);
    mark();
  });

  // --- saving --------------------------------------------------------------------------------------------------------

  const picture = () => { // the map as an SVG document, with every value as the tooltip of its cell
    const space = "http://www.w3.org/2000/svg";
    const { tokens } = sentence;
    const { block, column } = state;
    const margin = 24 + 7 * Math.max(...tokens.map((token) => Math.min(token.length, 40)));
    const cell = 22, left = margin, top = margin + 24, most = largest(block, column);
    const draw = (tag, attributes, text = "") => {
      const element = document.createElementNS(space, tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.textContent = text;
      return element;
    };
    const bottom = top + cell * tokens.length;
    const width = Math.max(left + cell * tokens.length + 20, 480), height = bottom + 56;
    const drawing = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": "sans-serif", "font-size": 11 });
    drawing.append(draw("rect", { width, height, fill: "white" }), draw("text", { x: 8, y: 18, "font-size": 13 }, `${data.model}: ${viewName(state)}`));
    tokens.forEach((token, source) => {
      const middle = cell * source + cell / 2;
      drawing.append(draw("text", { x: left - 6, y: top + middle + 4, "text-anchor": "end" }, token));
      drawing.append(draw("text", { transform: `translate(${left + middle + 4}, ${top - 6}) rotate(-90)` }, token));
      for (let target = 0; target <= lastTarget(source); target++) {
        const place = { x: left + cell * target, y: top + cell * source, width: cell, height: cell, stroke: "#d9dee4" };
        const square = draw("rect", { ...place, fill: colour(shareOf(stored(block, column, source, target), column, most)) });
        square.append(draw("title", {}, pairText(source, target)));
        drawing.append(square);
      }
    });
    drawing.append(draw("text", { x: 8, y: bottom + 22 }, "rows: the source, the token that looks; columns: the target, what it looks at"));
    ticks(column, most).forEach(([share, text], place) => {
      const x = 60 + 65 * place;
      drawing.append(draw("rect", { x, y: bottom + 33, width: 14, height: 14, stroke: "#d9dee4", fill: colour(share) }));
      drawing.append(draw("text", { x: x + 19, y: bottom + 44 }, text));
    });
    drawing.append(draw("text", { x: 8, y: bottom + 44 }, unitOf(column)));
    return new XMLSerializer().serializeToString(drawing);
  };

  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([picture()], { type: "image/svg+xml" }));
    const name = `attention ${data.model} sentence ${state.sentence} ${viewName(state)}`.replace(/[^A-Za-z0-9]+/g, "_");
    make("a", { href: address, download: `${name}.svg` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });

  buildOverview();
  const all = data.sentences.flatMap(({ tokens }) => tokens);
  const signs = [["·", "is a space"], ["##", "goes on with a word"]].filter(([sign]) => all.some((token) => token.includes(sign)));
  const reading = ["rows: the source, the token that looks; columns: the target, what it looks at", ...signs.map((sign) => sign.join(" "))];
  const axes = make("p", { className: "hint", textContent: reading.join("; ") });
  const help = make("p", {
    className: "hint",
    textContent:
      "Keys: Tab goes from part to part; arrow keys move between heads and blocks in the overview, and between tokens " +
      "in the map; Home and End go to a row's ends.",
  });
  const picturePart = make("div", { className: "picture" });
  picturePart.append(make("p", { className: "about" }, title, about), make("div", { className: "scroll" }, map), axes, legend);
  root.replaceChildren(
    make("div", { className: "choices" }, sentenceLabel, blockLabel, columnLabel, save),
    status,
    make("div", { className: "parts" }, overview, picturePart, make("div", { className: "values" }, list)),
    help,
  );
  read(state.sentence);
})();
