"use strict";
(() => {
  const documents = JSON.parse(document.getElementById("documents").textContent);
  const byId = id => document.getElementById(id);
  const PALETTES = {
    light: ["#1f5fbf", "#d1481b", "#0e8a5f", "#8a3fc7", "#b57a00", "#c2185b", "#00829b", "#5d7a00", "#6b4f3a", "#444f9e", "#2f8f2f", "#a04668"],
    dark: ["#7fb0ff", "#ff8f66", "#4fd1a0", "#c99bff", "#f0c04c", "#ff80ab", "#4dd0e1", "#b4d455", "#d0a98f", "#9fa8ff", "#7be07b", "#e59ab8"],
  };
  const LIMITS = { light: ["#6d7785", "#98a1ad", "#4a5360", "#b0895f"], dark: ["#98a4b3", "#6f7b8a", "#c3ccd7", "#c9a57d"] };
  const STAGE_ORDER = ["append", "tail", "tailProcess", "reserve", "write", "persist", "publish"];
  const STAGE_NAMES = {
    append: "append", tail: "append → tailer, other thread", tailProcess: "append → tailer, other process",
    reserve: "reserve", write: "write", persist: "persist", publish: "publish",
  };
  const QUANTILES = ["p50", "p90", "p99", "p99.9", "p99.99", "max"];
  const PARTS = new Set(["reserve", "write", "persist", "publish"]);
  const node = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const trim = (value, digits) => String(Number(value.toPrecision(digits)));

  /* Times, counts, sizes for people. */
  const time = ns => ns == null || !isFinite(ns) ? "" :
    ns < 9999.5 ? trim(ns, ns < 1000 ? 3 : 4) + " ns" : ns < 999500 ? trim(ns / 1e3, 3) + " µs" :
    ns < 9.9995e9 ? trim(ns / 1e6, 3) + " ms" : trim(ns / 1e9, 3) + " s";
  const round = ns => ns >= 1e9 ? ns / 1e9 + " s" : ns >= 1e6 ? ns / 1e6 + " ms" : ns >= 1e3 ? ns / 1e3 + " µs" : ns + " ns";
  const count = n => n == null || !isFinite(n) ? "" :
    n >= 1e6 ? trim(n / 1e6, 3) + " M" : n >= 1e4 ? trim(n / 1e3, 3) + " k" : trim(n, 4);
  const size = n => n >= 1048576 && n % 1048576 === 0 ? n / 1048576 + " MiB" : n >= 1024 && n % 1024 === 0 ? n / 1024 + " KiB" : n + " B";
  const load = rate => rate === 0 ? "saturated" : `open loop, ${rate.toLocaleString("en-US")}/s`;

  /* All series of all documents, each with a label and the key of its line. */
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const owners = new Map();
  documents.forEach((doc, i) => doc.series.forEach(series => {
    if (!owners.has(series.system)) owners.set(series.system, new Set());
    owners.get(series.system).add(i);
  }));
  const all = documents.flatMap((doc, i) => doc.series.filter(series => series.count > 0 || series.entriesPerSecond > 0).map(series => {
    const extra = [];
    if (series.tailers > 0 && series.stage === "append") extra.push("a tailer live");
    if (series.batch > 1) extra.push(`batches of ${series.batch}`);
    if (series.threads > 1) extra.push(`${series.threads} threads`);
    const system = series.system + (owners.get(series.system).size > 1 ? ` (${letters[i] ?? i})` : "");
    return { percentiles: [], ns: {}, ...series, name: [system, ...extra].join(", "), line: [system, ...extra].join("|") };
  }));
  const distinct = (values, order) => [...new Set(values)].sort(order);
  const number = (a, b) => a - b;

  /* What persists nothing is shown beside every class. */
  const NOTHING = "none";
  const isClass = s => s.durability === state.durability || s.durability === NOTHING;

  const state = { durability: null, rate: null, size: null, metric: "p99" };
  const choices = {
    durability: distinct(all.map(s => s.durability).filter(d => d !== NOTHING)),
    rate: distinct(all.map(s => s.rate ?? 0), number),
    size: distinct(all.map(s => s.payloadLengthBytes), number),
    metric: ["p50", "p99", "max"],
  };
  const has = filter => all.some(filter);
  state.durability = choices.durability[0];
  state.rate = choices.rate.find(rate => rate > 0) ?? choices.rate[0];
  state.size = choices.size.includes(256) ? 256 : choices.size[0];

  const hues = new Map();
  const hue = (line, limit) => {
    const kind = limit ? "limit" : "system";
    if (!hues.has(kind)) hues.set(kind, []);
    const lines = hues.get(kind);
    if (!lines.includes(line)) lines.push(line);
    const theme = document.documentElement.classList.contains("dark") ? "dark" : "light";
    const colors = (limit ? LIMITS : PALETTES)[theme];
    return colors[lines.indexOf(line) % colors.length];
  };
  /* Fixed before anything is drawn, so that a system has one colour in all plots. */
  const whole = s => s.line + "/" + (s.stage === "tailProcess" ? "tailProcess" : s.stage === "tail" ? "tail" : PARTS.has(s.stage) ? s.stage : "append");
  all.slice().sort((a, b) => STAGE_ORDER.indexOf(a.stage) - STAGE_ORDER.indexOf(b.stage)).forEach(s => {
    if (!PARTS.has(s.stage)) hue(whole(s), s.limit);
  });
  const partColor = s => {
    const theme = document.documentElement.classList.contains("dark") ? "dark" : "light";
    return PALETTES[theme][["reserve", "write", "persist", "publish"].indexOf(s.stage)];
  };

  /* ------------------------------------------------------------------------------------------------ plots */
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const plots = new Map();
  const axis = extra => ({
    stroke: css("--soft"), grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--line"), width: 1, size: 5 },
    font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 20, ...extra,
  });
  const HEIGHT = 340;

  function draw(id, lines, options, why) {
    plots.get(id)?.destroy();
    plots.delete(id);
    const target = byId(id);
    target.replaceChildren();
    if (lines.length === 0) {
      target.append(node("div", why, { class: "empty" }));
      return;
    }
    const data = uPlot.join(lines.map(line => [line.xs, line.ys]));
    const series = [{ label: options.xLabel, value: (u, x) => x == null ? "" : options.xText(x) }];
    for (const line of lines) {
      series.push({
        label: line.label, stroke: line.color, width: line.dashed ? 1.5 : 2, dash: line.dashed ? [6, 4] : undefined,
        spanGaps: true, points: { show: options.points, size: 6, fill: line.color, stroke: line.color },
        value: (u, y) => y == null ? "" : options.yText(y),
      });
    }
    const plot = new uPlot({
      width: Math.max(280, target.clientWidth), height: HEIGHT, series,
      scales: { x: { time: false, ...options.xScale }, y: options.yScale },
      axes: [axis({ label: options.xLabel, ...options.xAxis }), axis({ size: 68, ...options.yAxis })],
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      legend: { live: true, markers: { dash: (u, i) => u.series[i].dash ? "dashed" : "solid" } },
    }, data, target);
    plots.set(id, plot);
  }

  /* Decades with a name, and 2 and 5 between them where there is room. */
  const logAxis = text => ({
    values: (u, splits) => {
      const span = Math.log10(u.scales.y.max / u.scales.y.min);
      return splits.map(v => {
        const lead = v == null ? 0 : Math.round(v / 10 ** Math.floor(Math.log10(v) + 1e-9));
        return lead === 1 || (span < 3.2 && (lead === 2 || lead === 5)) ? text(Number(v.toPrecision(3))) : "";
      });
    },
    filter: (u, splits) => splits,
  });
  const nines = x => x <= 0 ? "0 %" : Number((100 * (1 - 10 ** -x)).toFixed(Math.max(0, Math.ceil(x) - 2 + (x % 1 ? 2 : 0)))) + " %";
  const percentileOptions = {
    xLabel: "percentile",
    xText: nines,
    yText: time,
    points: false,
    xScale: { range: (u, low, high) => [0, Math.max(1, high)] },
    yScale: { distr: 3, range: (u, low, high) => logRange(low, high) },
    xAxis: { splits: u => Array.from({ length: Math.floor(u.scales.x.max) + 1 }, (_, i) => i), values: (u, splits) => splits.map(nines) },
    yAxis: logAxis(round),
  };
  function logRange(low, high) {
    if (low == null || !(low > 0)) return [1, 10];
    const to = (v, up) => {
      const decade = 10 ** Math.floor(Math.log10(v));
      const steps = [1, 2, 5, 10].map(n => n * decade);
      return up ? steps.find(n => n >= v * 1.0001) ?? 10 * decade : steps.reverse().find(n => n <= v * 0.9999) ?? decade / 2;
    };
    return [to(low, false), to(high, true)];
  }
  const curve = s => ({
    xs: s.percentiles.map(p => -Math.log10(1 - p[0])),
    ys: s.percentiles.map(p => Math.max(1, p[1])),
  });
  const chosen = s => isClass(s) && s.rate === state.rate && s.payloadLengthBytes === state.size;
  const inOrder = (a, b) => STAGE_ORDER.indexOf(a.stage) - STAGE_ORDER.indexOf(b.stage) || a.limit - b.limit;
  const label = s => s.stage === "append" ? s.name : `${s.name}: ${STAGE_NAMES[s.stage].replace("append → tailer, ", "to ")}`;

  function drawPercentiles() {
    const shown = all.filter(s => chosen(s) && s.percentiles.length > 0).sort(inOrder);
    byId("whole-note").textContent = state.rate === 0
      ? "Each operation timed from its own start."
      : "From the moment at which an entry was due (no coordinated omission).";
    const line = color => s => ({ ...curve(s), label: PARTS.has(s.stage) ? `${s.stage}${s.limit ? " (" + s.name + ")" : ""}` : label(s), color: color(s), dashed: s.limit });
    draw("whole", shown.filter(s => !PARTS.has(s.stage)).map(line(s => hue(whole(s), s.limit))), percentileOptions, "Not measured at this load and size.");
    draw("stages", shown.filter(s => PARTS.has(s.stage)).map(line(partColor)), percentileOptions, "Not measured at this load and size.");
  }

  function drawThroughput() {
    const groups = new Map();
    for (const s of all.filter(s => isClass(s) && s.rate === 0 && s.stage === "append" && s.entriesPerSecond > 0)) {
      if (!groups.has(s.line)) groups.set(s.line, []);
      groups.get(s.line).push(s);
    }
    const lines = [...groups.values()].map(group => {
      group.sort((a, b) => a.payloadLengthBytes - b.payloadLengthBytes);
      return {
        xs: group.map(s => Math.log2(Math.max(1, s.payloadLengthBytes))), ys: group.map(s => s.entriesPerSecond),
        label: group[0].name, color: hue(whole(group[0]), group[0].limit), dashed: group[0].limit,
      };
    });
    const sizes = distinct(lines.flatMap(line => line.xs), number);
    draw("throughput", lines, {
      xLabel: "payload",
      xText: x => size(Math.round(2 ** x)),
      yText: y => count(y) + "/s",
      points: true,
      xScale: { range: (u, low, high) => low === high ? [low - 1, high + 1] : [low, high] },
      yScale: { distr: 3, range: (u, low, high) => logRange(low, high) },
      xAxis: { splits: () => sizes, values: (u, splits) => splits.map(x => size(Math.round(2 ** x))) },
      yAxis: logAxis(n => count(n) + "/s"),
    }, "Saturated throughput was not measured.");
  }

  function drawTime() {
    const at = { p50: 2, p99: 3, max: 4 }[state.metric];
    byId("time-note").textContent = `${state.metric} of each interval; what is compared was measured in turn, so a bad moment of the machine shows in all lines.`;
    const lines = all.filter(chosen).filter(s => !PARTS.has(s.stage) && s.intervals?.length > 0).sort(inOrder).map(s => ({
      xs: s.intervals.map(i => i[0]), ys: s.intervals.map(i => Math.max(1, i[at])),
      label: label(s), color: hue(whole(s), s.limit), dashed: s.limit,
    }));
    draw("time", lines, {
      xLabel: "seconds since this load and size began",
      xText: x => trim(x, 4) + " s",
      yText: time,
      points: true,
      xScale: {},
      yScale: { distr: 3, range: (u, low, high) => logRange(low, high) },
      xAxis: {},
      yAxis: logAxis(round),
    }, "Not measured at this load and size.");
  }

  /* ------------------------------------------------------------------------------------------------ words */
  /* What a system promises on its own medium is not what it gives on an emulated one; older files do not say so. */
  const survives = s => s.emulated && /^power/.test(s.promises ?? "") ? `process crash here (emulated); on real hardware: ${s.promises}` : s.promises ?? "";

  function drawFigures() {
    const shown = all.filter(chosen).sort(inOrder);
    byId("figures-note").textContent = `${state.durability}, ${size(state.size)} payload, ${load(state.rate)}. A maximum no longer than “pause max” says nothing about the journal: the machine itself paused so long meanwhile.`;
    const table = node("table", undefined, { class: "figures" });
    const head = node("tr");
    ["", ...QUANTILES, "entries/s", "per entry", "to limit, p50", "p99.9", "B/entry", "pause max"].forEach(text => head.append(node("th", text)));
    head.append(node("th", "survives", { class: "survives" }));
    table.append(head);
    for (const s of shown) {
      const row = node("tr", undefined, s.limit ? { class: "limit" } : {});
      const name = node("span", undefined, { class: "name" });
      const color = PARTS.has(s.stage) ? partColor(s) : hue(whole(s), s.limit);
      const swatch = node("span", undefined, { class: s.limit ? "swatch dashed" : "swatch" });
      swatch.style.borderColor = color;
      name.append(swatch, node("span", PARTS.has(s.stage) ? `${s.stage} – ${s.name}` : label(s)));
      const first = node("td");
      first.append(name);
      row.append(first);
      for (const q of QUANTILES) row.append(node("td", time(s.ns[q])));
      const rate = node("td", count(s.entriesPerSecond));
      if (s.rateReached === false) {
        rate.className = "bad";
        rate.textContent += " ↓";
        rate.title = "the rate was not reached: latency grows with the queue";
      }
      const ratio = s.ratios?.[0];
      const to = text => {
        const cell = node("td", text);
        if (ratio) cell.title = "to " + ratio.to;
        return cell;
      };
      row.append(rate, node("td", time(s.nsPerEntry)));
      row.append(to(ratio?.p50 == null ? "" : trim(ratio.p50, 3)), to(ratio?.["p99.9"] == null ? "" : trim(ratio["p99.9"], 3)));
      row.append(node("td", s.limit || s.allocatedBytesPerEntry == null ? "" : trim(s.allocatedBytesPerEntry, 2)));
      row.append(node("td", s.machinePauseMaxNs ? time(s.machinePauseMaxNs) : ""), node("td", s.limit ? "" : survives(s), { class: "survives" }));
      table.append(row);
    }
    leaveOutEmptyColumns(table);
    byId("figures").replaceChildren(shown.length ? table : node("div", "Not measured at this load and size.", { class: "empty" }));
  }

  /* A column in which nothing was measured would push the last one out of the page. */
  function leaveOutEmptyColumns(table) {
    const [head, ...rows] = table.rows;
    for (let i = head.cells.length - 1; i > 0; i--) {
      if (rows.every(row => row.cells[i].textContent === "")) [head, ...rows].forEach(row => row.deleteCell(i));
    }
  }

  function drawMachines() {
    const target = byId("machines");
    documents.forEach((doc, i) => {
      const list = node("dl", undefined, { class: "facts" });
      const fact = (name, value) => value && list.append(node("dt", name), node("dd", value));
      fact("command", doc.command);
      fact("time", doc.time);
      Object.entries(doc.machine ?? {}).forEach(([name, value]) => fact(name, value));
      if (doc.cost) fact("cost of the tool", `timer ${time(doc.cost.timerNs)}, empty loop ${time(doc.cost.emptyLoopNs)}, full fence ${time(doc.cost.fullFenceNs)}`);
      if (doc.pauses?.count > 0) fact("machine’s pauses", QUANTILES.map(q => `${q} ${time(doc.pauses.ns[q])}`).join(", ") + " (how late a sleeping thread woke; no journal is involved)");
      (doc.notes ?? []).forEach(note => fact("note", note));
      (doc.notRun ?? []).forEach(each => fact("not measured", `${each.system}: ${each.reason}`));
      target.append(node("h2", documents.length > 1 ? `${letters[i] ?? i}: ${doc.title}` : "Machine and run"), list);
    });
  }

  function controls() {
    const target = byId("controls");
    const names = { durability: "durability", rate: "load", size: "payload", metric: "over time" };
    const texts = { durability: d => d, rate: load, size, metric: m => m };
    for (const key of ["durability", "rate", "size", "metric"]) {
      if (choices[key].length < 2) continue;
      const select = node("select");
      choices[key].forEach((value, i) => select.append(node("option", texts[key](value), { value: i })));
      select.selectedIndex = choices[key].indexOf(state[key]);
      select.addEventListener("change", () => {
        state[key] = choices[key][select.selectedIndex];
        drawAll();
      });
      const line = node("label", names[key]);
      line.append(select);
      target.append(line);
    }
  }

  function head() {
    const first = documents[0];
    byId("title").textContent = documents.length > 1 ? documents.map(doc => doc.title).filter((t, i, a) => a.indexOf(t) === i).join(" · ") : first.title;
    document.title = byId("title").textContent;
    if (has(s => s.emulated)) byId("badges").append(node("span", "emulated: a power cut would lose the data", { class: "badge" }));
    if (documents.some(doc => doc.complete === false)) byId("badges").append(" ", node("span", "ended early", { class: "badge" }));
    const machine = first.machine ?? {};
    const facts = [machine.cpu, machine.processors && `${machine.processors} processors`, machine.kernel, first.tool, first.time && first.time.slice(0, 16).replace("T", " ") + " UTC"];
    byId("about").append(facts.filter(fact => fact).join(" · "));
  }

  function drawAll() {
    drawPercentiles();
    drawThroughput();
    drawTime();
    drawFigures();
  }

  function theme(dark) {
    document.documentElement.classList.toggle("dark", dark);
    byId("theme").textContent = dark ? "Light" : "Dark";
    drawAll();
  }

  head();
  controls();
  drawMachines();
  byId("theme").addEventListener("click", () => theme(!document.documentElement.classList.contains("dark")));
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", event => theme(event.matches));
  theme(preference.matches);
  let pending = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => plots.forEach((plot, id) => {
      const width = Math.max(280, byId(id).clientWidth);
      if (Math.abs(width - plot.width) > 1) plot.setSize({ width, height: HEIGHT });
    }));
  }).observe(document.body);
})();
