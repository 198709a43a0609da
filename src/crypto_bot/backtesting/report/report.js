/* Laying out the data of the page. Whatever comes from the data goes in by textContent. */

const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
function make(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}
const tone = sign => (sign > 0 ? "up" : sign < 0 ? "down" : "");
/* Trailing zeros step back: 0.02|000 */
function figure(cell, text) {
  const cut = text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "").length : text.length;
  cell.textContent = text.slice(0, cut);
  if (cut < text.length) cell.append(make("span", "frac", text.slice(cut)));
}
function readout(box) {
  return parts => box.replaceChildren(...parts.flatMap(([name, text, cls]) => {
    const pair = make("span", "pair");
    if (name) pair.append(make("b", "", name));
    pair.append(make("span", cls, text));
    return [pair, " "];
  }));
}

function heading() {
  document.title = `${data.title} · CryptoTrader`;
  document.documentElement.dataset.mode = data.mode;
  for (const id of ["mode", "strategy", "subtitle", "window", "run", "verdict"]) $(id).textContent = data[id];
  $("command").append(...data.command.split(" ").flatMap(word => [make("span", "", word), " "]));
  if (!data.verdict) $("verdict").textContent = "Buy and hold could not be compared.";
  $("strip").append(...data.figures.map((f, i) => {
    const box = make("div", "kpi"), line = make("p");
    line.append(make("span", `${i ? "mid" : "big"} num ${tone(f.sign)}`, f.text));
    if (f.after) line.append(make("span", "after num", f.after));
    if (f.unit) line.append(make("small", "unit", f.unit));
    box.append(make("h2", "", f.name), line, make("p", "sub", f.note));
    return box;
  }));
  $("notes").append(...data.notes.map(n => {
    const row = make("li"), text = make("span");
    row.append(sign());
    if (n.title) text.append(make("b", "", n.title));
    text.append(n.text);
    row.append(text);
    return row;
  }));
  $("notes").hidden = !data.notes.length;
}
function sign() {
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
  svg.setAttribute("viewBox", "0 0 20 20"); svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M10 3.5 17.500 16.500H2.500zM10 8.500v3.500M10 14.300v.1");
  svg.append(path);
  return svg;
}
function pairs(rows) {
  return rows.map(r => { const row = make("div"); row.append(make("dt", "", r.name), make("dd", tone(r.sign), r.text)); return row; });
}
function lists() {
  $("lists").append(...data.groups.map(g => { const box = make("section"), dl = make("dl"); dl.append(...pairs(g.rows)); box.append(make("h3", "", g.title), dl); return box; }));
  $("assumptions").append(...pairs(data.assumptions));
  $("bracket").append(...pairs(data.bracket));
  $("bracket-note").textContent = data.bracket_note;
  $("hashes").append(...pairs(data.hashes));
}

function months() {
  const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], head = make("tr"), body = $("months").tBodies[0];
  head.append(...["Year", ...names, "All"].map(n => { const th = make("th", "", n); th.scope = "col"; return th; }));
  $("months").tHead.append(head);
  const most = Math.max(.02, ...data.months.filter(y => !y.hold).flatMap(y => y.months.map(c => Math.abs(c.value))));
  for (const year of data.months) {
    const row = make("tr", year.hold ? "hold" : ""), th = make("th", "", year.hold ? "hold" : String(year.year));
    th.scope = "row";
    row.append(th);
    [...year.months, year.total].forEach((c, i) => {
      const td = make("td", `cell ${year.hold ? "" : tone(c.value)}`, c.text.replace("%", ""));
      td.dataset.m = names[i] || "";
      if (!year.hold && i < 12) td.style.setProperty("--h", `${Math.round(Math.abs(c.value) / most * 26)}%`);
      row.append(td);
    });
    body.append(row);
  }
}

/* Tables: what a column is called, how it is drawn, and where it goes on a phone (1-5). */
const COLUMNS = {
  closed: ["Closed", "time", 4], time: ["Time", "time", 4], symbol: ["Symbol", "text", 2], side: ["Side", "side", 1], quantity: ["Quantity", "figure"], entry: ["Entry", "figure"], exit: ["Exit", "figure"],
  price: ["Price", "figure", 3], held: ["Held", "num"], fees: ["Fees", "num"], fee: ["Fee", "figure"], asset: ["in", "dim"], role: ["As", "dim"], order: ["Order", "num"], net: ["Net", "gain", 3], return: ["Return", "gain", 5], mae: ["Against", "num"], mfe: ["In favour", "num"], strategy: ["Strategy", "dim"],
};
const right = kind => ["figure", "num", "gain"].includes(kind);
const value = text => { const n = Number(String(text).replace(/[,%+]/g, "").replace(MINUS, "-")); return Number.isNaN(n) ? String(text) : n; };
const lengths = {s: 1, min: 60, h: 3600, d: 86400};
function key(kind, text) {
  const [amount, unit] = String(text).split(" ");
  return lengths[unit] ? value(amount) * lengths[unit] : value(text);
}
function cell(kind, text, phone) {
  const td = make("td", right(kind) ? "r" : "");
  if (phone) td.dataset.p = phone;
  if (kind === "time") { const t = make("time", "", moment(text)); t.dateTime = new Date(text * 1000).toISOString(); t.title = new Date(text * 1000).toString(); td.append(t); td.classList.add("dim"); }
  else if (kind === "figure") figure(td, text);
  else { td.textContent = text; if (kind === "dim") td.classList.add("dim"); }
  if (kind === "side") td.classList.add("side", ["buy", "long"].includes(text) ? "up" : "down");
  if (kind === "gain" && value(text)) td.classList.add(value(text) > 0 ? "up" : "down");
  return td;
}
function table(box, list, caption, empty, extra) {
  if (!list.total) { const p = make("p", "empty"); p.append(make("b", "", empty[0]), empty[1]); box.append(p); return; }
  const names = list.columns.filter(c => COLUMNS[c]), used = names.filter(c => !(c === "strategy" && data.strategy.indexOf(" + ") < 0 && new Set(list.rows.map(r => r[list.columns.indexOf(c)])).size < 2));
  const t = make("table"), head = make("tr"), body = make("tbody"), rows = list.rows.map(r => {
    const tr = make("tr");
    for (const c of used) tr.append(cell(COLUMNS[c][1], r[list.columns.indexOf(c)], COLUMNS[c][2]));
    if (extra) { const td = make("td", "r"); td.append(extra(r, list.columns)); tr.append(td); }
    tr.hidden = false;
    return {r, tr, text: r.join(" ").toLowerCase()};
  });
  let order = null;
  for (const c of used) {
    const th = make("th", right(COLUMNS[c][1]) ? "r" : ""), b = make("button", "sort", COLUMNS[c][0]);
    th.scope = "col"; b.type = "button";
    if (c === "closed" || c === "time") b.append(" ", make("small", "", "UTC"));
    b.addEventListener("click", () => {
      const down = !(order && order[0] === c && order[1]), i = list.columns.indexOf(c);
      order = [c, down];
      for (const other of head.children) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, z) => { const p = key(COLUMNS[c][1], a.r[i]), q = key(COLUMNS[c][1], z.r[i]); return (p < q ? -1 : p > q ? 1 : 0) * (down ? -1 : 1); });
      body.append(...rows.map(row => row.tr));
    });
    th.append(b); head.append(th);
  }
  if (extra) { const th = make("th"); th.append(make("span", "vh", "Chart")); head.append(th); }
  const thead = make("thead");
  box.classList.toggle("long", rows.length > 80);
  thead.append(head); body.append(...rows.map(row => row.tr));
  t.append(make("caption", "vh", caption), thead, body); box.append(t);
  $("find").addEventListener("input", () => { const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean); for (const row of rows) row.tr.hidden = !words.every(w => row.text.includes(w)); });
}
function trades(show) {
  const seek = (r, columns) => { const b = make("button", "btn quiet", "Show"); b.type = "button"; b.title = "Show on the chart"; b.addEventListener("click", () => show(r[columns.indexOf("symbol")], r[columns.indexOf("opened")], r[columns.indexOf("closed")])); return b; };
  table($("p-trips"), data.trips, "Round trips", ["No round trips", "No position was reduced in this run."], data.charts.length && window.LightweightCharts ? seek : null);
  table($("p-fills"), data.fills, "Fills", ["No fills", "No order was filled in this run."], null);
  $("n-trips").textContent = data.trips.total.toLocaleString("en-US"); $("n-fills").textContent = data.fills.total.toLocaleString("en-US");
  const tabs = [["t-trips", "p-trips", data.trips], ["t-fills", "p-fills", data.fills]];
  const choose = n => {
    tabs.forEach(([tab, panel], i) => { $(tab).setAttribute("aria-selected", String(i === n)); $(tab).tabIndex = i === n ? 0 : -1; $(panel).hidden = i !== n; });
    const list = tabs[n][2], half = list.rows.length / 2;
    $("cut").hidden = list.total <= list.rows.length;
    $("cut").textContent = `The first ${half} and the last ${half} of ${list.total.toLocaleString("en-US")} rows. backtest --trades FILE.csv writes them all.`;
  };
  tabs.forEach(([tab], i) => {
    $(tab).addEventListener("click", () => choose(i));
    $(tab).addEventListener("keydown", e => { if (e.key === "ArrowLeft" || e.key === "ArrowRight") { choose(1 - i); $(tabs[1 - i][0]).focus(); } });
  });
  choose(data.trips.total || !data.fills.total ? 0 : 1);
}

const drawn = [];
function tools(box, acts) {
  const buttons = acts.map(([text, label, act]) => { const b = make("button", "", text); b.type = "button"; b.title = label; b.setAttribute("aria-label", label); b.addEventListener("click", act); return b; });
  box.replaceChildren(...buttons);
}
function missing(box) { box.append(make("p", "gone", "Charts are not part of this file: static-dashboard/vendor/lightweight-charts.js was absent when it was written. The tables are complete.")); }

function drawEquity() {
  const box = $("plot-equity");
  box.setAttribute("aria-label", data.equity_label);
  if (!window.LightweightCharts) return missing(box);
  const view = equityChart(box, data.equity, readout($("read-equity"))), hand = steer(box, () => view);
  tools($("tools-equity"), [[MINUS, "Zoom out", () => hand.zoom(1.7)], ["+", "Zoom in", () => hand.zoom(.6)], ["All", "The whole run", hand.all]]);
  drawn.push(view);
}

function drawPrices() {
  const box = $("plot-price");
  if (!window.LightweightCharts) { missing(box); return () => {}; }
  if (!data.charts.length) return () => {};
  let view = null, chosen = "";
  const hand = steer(box, () => view);
  const open = symbol => {
    const chart = data.charts.find(c => c.symbol === symbol);
    if (!chart || chosen === symbol) return Boolean(chart);
    if (view) { fitted.delete(view.chart); view.chart.remove(); drawn.splice(drawn.indexOf(view), 1); }
    chosen = symbol;
    view = priceChart(box, chart, readout($("read-price")));
    drawn.push(view);
    const fills = chart.marks.reduce((n, m) => n + m[2], 0);
    box.setAttribute("aria-label", `${chart.time.length} candles of ${chart.timeframe} of ${symbol} with ${fills} fills, close ${chart.close.at(-1)}. The fills are in the table below.`);
    $("h-price").textContent = data.charts.length > 1 ? "Candles and fills" : symbol;
    for (const b of $("pick").querySelectorAll("button[data-symbol]")) b.setAttribute("aria-pressed", String(b.dataset.symbol === symbol));
    const select = $("pick").querySelector("select");
    if (select) select.value = symbol;
    tools($("tools-price"), [[MINUS, "Zoom out", () => hand.zoom(1.7)], ["+", "Zoom in", () => hand.zoom(.6)], ["Log", "Logarithmic prices", e => { const on = e.currentTarget.getAttribute("aria-pressed") !== "true"; e.currentTarget.setAttribute("aria-pressed", String(on)); view.chart.priceScale("right").applyOptions({mode: on ? 1 : 0}); }], ["Last 150", "The last 150 bars", () => hand.last(150)], ["All", "The whole run", hand.all]]);
    $("length").textContent = `${chart.timeframe} bars`;
    hand.all();
    return true;
  };
  if (data.charts.length > 4) {
    const select = make("select");
    select.setAttribute("aria-label", "Symbol");
    select.append(...data.charts.map(c => { const o = make("option", "", c.symbol); o.value = c.symbol; return o; }));
    select.addEventListener("change", () => open(select.value));
    $("pick").append(select);
    if (data.charts_left_out) $("pick").append(make("span", "meta", `${data.charts_left_out} less traded left out`));
  } else if (data.charts.length > 1) {
    $("pick").append(...data.charts.map(c => { const b = make("button", "", c.symbol); b.type = "button"; b.dataset.symbol = c.symbol; b.addEventListener("click", () => open(c.symbol)); return b; }));
  }
  open(data.charts[0].symbol);
  return (symbol, from, to) => {
    if (!open(symbol)) { say(`${symbol} has no chart in this report.`); return; }
    const a = view.bar(from), z = view.bar(to), room = Math.max((z - a) * .8, 30);
    fitted.delete(view.chart);
    view.chart.timeScale().setVisibleLogicalRange({from: a - room, to: z + room});
    view.fills.highlight(a, z);
    view.show(z);
    box.scrollIntoView({block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"});
    box.focus({preventScroll: true});
  };
}

function say(text) { $("spoken").textContent = text; }
function repaint() { for (const view of drawn) view.paint(); }
function themes() {
  const order = ["auto", "light", "dark"], words = {auto: "follow the system", light: "light", dark: "dark"};
  const set = name => { document.documentElement.dataset.theme = name; $("theme").setAttribute("aria-label", `Theme: ${words[name]}`); $("theme").title = `Theme: ${words[name]}`; repaint(); };
  $("theme").addEventListener("click", () => set(order[(order.indexOf(document.documentElement.dataset.theme) + 1) % 3]));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  /* Paper is light, its width is not that of the window, and a canvas may be cleared before it is printed: print pictures. */
  let before = "auto";
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    set("light");
    for (const view of drawn) {
      const picture = make("img"), height = view.fills ? 300 : 340;
      view.chart.applyOptions({autoSize: false});
      whole(view.chart, view.count);
      view.chart.resize(680, height, true);
      picture.src = view.chart.takeScreenshot(true).toDataURL();
      picture.alt = "";
      view.chart.chartElement().closest(".plot").append(picture);
    }
  });
  addEventListener("afterprint", () => {
    set(before);
    for (const picture of document.querySelectorAll(".plot img")) picture.remove();
    for (const view of drawn) view.chart.applyOptions({autoSize: true});
  });
}
$("copy").addEventListener("click", async () => {
  try { await navigator.clipboard.writeText(data.command); $("copy").textContent = "Copied"; }
  catch { getSelection().selectAllChildren($("command")); $("copy").textContent = "Selected"; }
  setTimeout(() => { $("copy").textContent = "Copy"; }, 4000);
});

heading(); lists(); months(); scatter();
drawEquity();
trades(drawPrices());
themes();
