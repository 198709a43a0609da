"use strict";
/* Drawing with TradingView Lightweight Charts: two charts, one set of colours, the fills as triangles of our own. */

const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);

/* A token as the rgb() a canvas understands; it follows the scheme that holds now. */
function colour(name, alpha = 1) {
  probe.style.color = `var(--${name})`;
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

const MINUS = "\u2212";
const grouped = (n, places) => n.toLocaleString("en-US", {minimumFractionDigits: places, maximumFractionDigits: places}).replace("-", MINUS);
const signed = (n, places) => (Number(n.toFixed(places)) > 0 ? "+" : "") + grouped(Number(n.toFixed(places)) || 0, places);
const percent = ratio => signed(ratio * 100, 2) + "%";
const two = n => String(n).padStart(2, "0");
function utc(seconds) {
  const d = new Date(seconds * 1000);
  return {day: `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`, time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`};
}
const moment = seconds => `${utc(seconds).day} ${utc(seconds).time}`;
function tick(seconds, kind) {
  const {day, time} = utc(seconds);
  return kind === 0 ? day.slice(0, 4) : kind === 1 ? day.slice(0, 7) : kind === 2 ? day.slice(5) : time;
}
/* Axis labels show only the decimals that any of them needs. */
function ticks(prices, places) {
  let need = 0;
  for (const p of prices) { const f = p.toFixed(places).split(".")[1] || ""; need = Math.max(need, f.replace(/0+$/, "").length); }
  return prices.map(p => grouped(p, need));
}

function look() {
  const line = colour("line"), label = colour("text-2");
  return {
    layout: {background: {color: colour("panel")}, textColor: colour("text-3"), fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily,
      attributionLogo: false, panes: {separatorColor: line, separatorHoverColor: line, enableResize: false}},
    grid: {vertLines: {color: line}, horzLines: {color: line}},
    rightPriceScale: {borderVisible: false, entireTextOnly: true}, timeScale: {borderColor: line},
    crosshair: {mode: 0, vertLine: {color: colour("edge"), labelBackgroundColor: label}, horzLine: {color: colour("edge"), labelBackgroundColor: label}},
  };
}

function newChart(box) {
  /* The page scrolls with the wheel; charts zoom with buttons, keys, pinch, or the wheel with Ctrl. */
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  box.replaceChildren(canvas);
  const chart = LightweightCharts.createChart(canvas, {
    ...look(), autoSize: true,
    handleScroll: {mouseWheel: false, pressedMouseMove: true, horzTouchDrag: true, vertTouchDrag: false},
    handleScale: {mouseWheel: false, pinch: true, axisPressedMouseMove: {time: true, price: false}},
    localization: {locale: "en-GB", timeFormatter: moment},
  });
  new ResizeObserver(() => { if (fitted.has(chart)) requestAnimationFrame(() => { if (fitted.has(chart)) whole(chart, fitted.get(chart)); }); }).observe(canvas);
  canvas.addEventListener("pointerdown", () => fitted.delete(chart));
  chart.timeScale().applyOptions({timeVisible: true, secondsVisible: false, tickMarkFormatter: tick, rightOffset: 0, minBarSpacing: 0.05});
  return chart;
}

/* Value tags at the end of a line, in place of a legend. */
class Tag {
  constructor(text, token) { this.words = text; this.token = token; }
  attached({series}) { this.series = series; this.axis = [{
    coordinate: () => this.series.priceToCoordinate(this.value) ?? -999, text: () => this.words,
    textColor: () => colour(this.token === "accent" ? "panel" : "text-2"), backColor: () => colour(this.token === "accent" ? "accent" : "sunk"), tickVisible: () => false}]; }
  priceAxisViews() { return this.axis; }
}

/* Fills: a triangle under the bar for buys, over it for sells. Neighbours share one where there is no room for two. */
class Fills {
  constructor(data) { this.data = data; this.held = null; }
  attached({chart, series, requestUpdate}) { this.chart = chart; this.series = series; this.redraw = requestUpdate; this.views = [{zOrder: () => "top", renderer: () => ({draw: target => target.useMediaCoordinateSpace(scope => this.draw(scope))})}]; }
  paneViews() { return this.views; }
  highlight(from, to) { this.held = from === null ? null : [from, to]; this.redraw(); }
  draw({context: g, mediaSize}) {
    const scale = this.chart.timeScale(), seen = scale.getVisibleLogicalRange();
    if (!seen) return;
    const x = bar => scale.logicalToCoordinate(bar), y = price => this.series.priceToCoordinate(price), {marks, low, high} = this.data;
    if (this.held) {
      const left = x(this.held[0]) - 3;
      g.save(); g.globalAlpha = .13; g.fillStyle = colour("accent"); g.fillRect(left, 0, Math.max(x(this.held[1]) + 3 - left, 6), mediaSize.height); g.restore();
    }
    const step = Math.max(1, Math.ceil(11 * (seen.to - seen.from) / mediaSize.width)), best = new Map();
    for (const [bar, side] of marks) {
      if (bar < seen.from - 1 || bar > seen.to + 1) continue;
      const key = Math.floor(bar / step) * 2 + (side > 0), known = best.get(key);
      if (known === undefined || (side > 0 ? low[bar] < low[known] : high[bar] > high[known])) best.set(key, bar);
    }
    g.lineWidth = 1; g.strokeStyle = colour("panel");
    for (const [key, bar] of best) {
      const buy = key % 2 === 1, cx = x(bar), tip = (y(buy ? low[bar] : high[bar]) ?? -99) + (buy ? 5 : -5), foot = tip + (buy ? 7 : -7);
      g.fillStyle = colour(buy ? "profit" : "loss");
      g.beginPath(); g.moveTo(cx, tip); g.lineTo(cx + 4.5, foot); g.lineTo(cx - 4.5, foot); g.closePath(); g.stroke(); g.fill();
    }
  }
}

function equityChart(box, data, read) {
  const {time, bot, hold, fall} = data, start = bot[0], chart = newChart(box), L = LightweightCharts;
  const share = column => column.map((value, i) => ({time: time[i], value: value / start - 1}));
  const label = list => ticks(list.map(p => p * 100), 2).map(s => (/[1-9]/.test(s) ? (s.startsWith(MINUS) ? s : "+" + s) : "0") + "%");
  const lines = [], tags = [];
  /* An axis label under a value tag would be unreadable: it is left out. */
  const clear = list => label(list).map((text, i) => { const y = price => lines[0][0].priceToCoordinate(price); return lines.length && tags.some(tag => Math.abs(y(tag.value) - y(list[i])) < 15) ? "" : text; });
  const format = {type: "custom", minMove: .0001, formatter: percent, tickmarksFormatter: label};
  const plain = {priceFormat: format, lastValueVisible: false, priceLineVisible: false};
  const line = (column, token, width) => {
    if (!column.length) return;
    const series = chart.addSeries(L.LineSeries, {...plain, priceFormat: {...format, tickmarksFormatter: clear}, lineWidth: width, crosshairMarkerRadius: 3}), points = share(column), tag = new Tag(percent(points.at(-1).value), token);
    tag.value = points.at(-1).value; series.setData(points); series.attachPrimitive(tag); tags.push(tag); lines.push([series, token]);
  };
  line(hold, "hold", 1); line(bot, "accent", 2);
  const deepest = Math.min(...fall, -.0001);
  const under = chart.addSeries(L.BaselineSeries, {...plain, baseValue: {type: "price", price: 0}, lineWidth: 1, crosshairMarkerVisible: false,
    autoscaleInfoProvider: () => ({priceRange: {minValue: deepest, maxValue: 0}})}, 1);
  under.setData(fall.map((value, i) => ({time: time[i], value})));
  under.priceScale().applyOptions({scaleMargins: {top: .16, bottom: .06}});
  chart.panes()[0].setStretchFactor(7); chart.panes()[1].setStretchFactor(3);
  const word = L.createTextWatermark(chart.panes()[1], {horzAlign: "left", vertAlign: "top", lines: []});
  const paint = () => {
    chart.applyOptions(look());
    for (const [series, token] of lines) series.applyOptions({color: colour(token)});
    under.applyOptions({bottomLineColor: colour("loss"), bottomFillColor1: colour("loss", .08), bottomFillColor2: colour("loss", .28), topLineColor: colour("loss"), topFillColor1: "rgba(0, 0, 0, 0)", topFillColor2: "rgba(0, 0, 0, 0)"});
    word.applyOptions({lines: [{text: " Drawdown", color: colour("text-3"), fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily}]});
  };
  paint();
  whole(chart, time.length);
  const show = i => {
    const parts = [["", moment(time[i])], ["Bot", percent(bot[i] / start - 1), "eq"], ["Equity", grouped(bot[i], 2)]];
    if (hold.length) parts.push(["Buy and hold", percent(hold[i] / start - 1)]);
    parts.push(["Drawdown", percent(fall[i])]);
    read(parts);
  };
  chart.subscribeCrosshairMove(p => show(at(p, time.length)));
  show(time.length - 1);
  return {chart, paint, count: time.length};
}

function priceChart(box, data, read) {
  const {time, open, high, low, close, volume, places, marks} = data, chart = newChart(box), L = LightweightCharts;
  const format = {type: "custom", minMove: 10 ** -places, formatter: p => grouped(p, places), tickmarksFormatter: list => ticks(list, places)};
  const bars = chart.addSeries(L.CandlestickSeries, {priceFormat: format, priceLineStyle: 1});
  bars.setData(time.map((t, i) => ({time: t, open: open[i], high: high[i], low: low[i], close: close[i]})));
  bars.priceScale().applyOptions({scaleMargins: {top: .08, bottom: .14}});
  const traded = chart.addSeries(L.HistogramSeries, {priceScaleId: "volume", priceFormat: {type: "volume"}, lastValueVisible: false, priceLineVisible: false});
  traded.setData(time.map((t, i) => ({time: t, value: volume[i]})));
  traded.priceScale().applyOptions({scaleMargins: {top: .9, bottom: 0}});
  const fills = new Fills(data);
  bars.attachPrimitive(fills);
  const paint = () => {
    const rise = colour("profit"), drop = colour("loss");
    chart.applyOptions(look());
    bars.applyOptions({upColor: colour("panel"), borderUpColor: rise, wickUpColor: rise, downColor: drop, borderDownColor: drop, wickDownColor: drop, priceLineColor: colour("text")});
    traded.applyOptions({color: colour("hold", .35)});
  };
  paint();
  const of = new Map();
  for (const mark of marks) of.set(mark[0], [...(of.get(mark[0]) || []), mark]);
  const show = i => {
    const parts = [["", moment(time[i])], ["O", grouped(open[i], places)], ["H", grouped(high[i], places)], ["L", grouped(low[i], places)], ["C", grouped(close[i], places)]];
    for (const [, side, count, quantity, price] of of.get(i) || []) parts.push([count === 1 ? "" : `${count} fills`, `${side > 0 ? "buy" : "sell"} ${Number(quantity.toPrecision(6))} at ${grouped(price, places)}`, side > 0 ? "up" : "down"]);
    read(parts);
  };
  chart.subscribeCrosshairMove(p => show(at(p, time.length)));
  show(time.length - 1);
  const bar = seconds => { let a = 0, z = time.length; while (a < z) { const m = (a + z) >> 1; if (time[m] <= seconds) a = m + 1; else z = m; } return Math.max(a - 1, 0); };
  return {chart, paint, count: time.length, bar, fills, show};
}

/* Charts that show the whole run go on doing so when their width changes; who has zoomed keeps the place. */
const fitted = new Map();

/* The whole run, with a margin at the left so that the first label is not cut. */
function whole(chart, count) {
  fitted.set(chart, count);
  const bars = count / (chart.timeScale().width() || 800);
  chart.timeScale().setVisibleLogicalRange({from: -22 * bars - .5, to: count - .5 + 5 * bars});
}

/* The bar under the crosshair, or the last one. */
function at(param, count) {
  const i = param && param.logical !== undefined && param.logical !== null ? Math.round(param.logical) : count - 1;
  return Math.min(Math.max(i, 0), count - 1);
}

/* Move and zoom by keys, by buttons, and by the wheel with Ctrl. */
function steer(box, view) {
  const move = part => { fitted.delete(view().chart); const s = view().chart.timeScale(), r = s.getVisibleLogicalRange(), d = (r.to - r.from) * part; s.setVisibleLogicalRange({from: r.from + d, to: r.to + d}); };
  const zoom = factor => {
    fitted.delete(view().chart);
    const s = view().chart.timeScale(), r = s.getVisibleLogicalRange(), c = (r.from + r.to) / 2, h = Math.max((r.to - r.from) * factor / 2, 5);
    const top = view().count - .5, from = Math.max(c - h, -.5), to = Math.min(c + h, top);
    s.setVisibleLogicalRange({from, to});
  };
  const all = () => whole(view().chart, view().count);
  const acts = {ArrowLeft: () => move(-.15), ArrowRight: () => move(.15), "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1.7), "0": all};
  box.addEventListener("keydown", e => { if (!e.ctrlKey && !e.altKey && !e.metaKey && acts[e.key]) { acts[e.key](); e.preventDefault(); } });
  box.addEventListener("wheel", e => { if (e.ctrlKey || e.metaKey) { zoom(e.deltaY > 0 ? 1.2 : .83); e.preventDefault(); } }, {passive: false});
  return {zoom, all, last: n => { fitted.delete(view().chart); const c = view().count; view().chart.timeScale().setVisibleLogicalRange({from: Math.max(c - n, 0) - .5, to: c - .5}); }};
}
