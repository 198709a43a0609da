/* The adapter to TradingView Lightweight Charts 5: candles with fills and resting orders, equity with drawdown.
   Nothing else in the page knows the library. Numbers become floats here, for pixels only. */

import {dayAndTime, isoOf, money, percent} from "./format.js";

const LABELLED_LINES = 20;
const CROWDED = 40;

const library = () => globalThis.LightweightCharts;
const opaque = (colour, alpha) => colour + Math.round(alpha * 255).toString(16).padStart(2, "0");

/** Read the page's colours. */
function ink() {
  const style = getComputedStyle(document.documentElement);
  const read = name => style.getPropertyValue("--" + name).trim();
  const names = ["text", "text-2", "text-3", "line", "edge", "profit", "loss", "accent", "panel", "hold", "sunk"];
  const colours = Object.fromEntries(names.map(name => [name, read(name)]));
  return {...colours, ours: document.documentElement.dataset.palette === "blue" ? colours.text : colours.accent, font: read("font")};
}

function options(c) {
  const label = {color: c.edge, labelBackgroundColor: c.edge, style: 2, width: 1};
  return {
    autoSize: true,
    layout: {background: {type: "solid", color: "transparent"}, textColor: c["text-3"], fontSize: 11, fontFamily: c.font, attributionLogo: false, panes: {separatorColor: c.line, separatorHoverColor: c.line, enableResize: false}},
    grid: {vertLines: {color: c.line}, horzLines: {color: c.line}},
    crosshair: {mode: 0, vertLine: label, horzLine: label},
    rightPriceScale: {borderVisible: false, minimumWidth: 66},
    timeScale: {borderColor: c.line, timeVisible: true, secondsVisible: false, tickMarkFormatter: tick, minBarSpacing: 0.02},
    localization: {locale: "en-GB", timeFormatter: seconds => dayAndTime(isoOf(seconds))},
  };
}

/** Label the time axis: the time inside a day, month and day at its start, the year where it changes. */
function tick(seconds, kind) {
  const iso = isoOf(seconds);
  return kind === 0 ? iso.slice(0, 4) : kind <= 2 ? iso.slice(5, 10) : iso.slice(11, 16);
}

/** Give a host element a chart, keys to move and zoom it, or the sentence that says why there is none. */
function mount(host) {
  if (!library()) {
    const note = document.createElement("p");
    note.className = "empty";
    note.textContent = "Charts are not installed: vendor/lightweight-charts.js is missing; install cryptotrader again.";
    host.replaceChildren(note);
    return null;
  }
  const chart = library().createChart(host, options(ink()));
  host.dataset.empty = "";
  host.addEventListener("keydown", event => {
    const scale = chart.timeScale(), shift = {ArrowLeft: -8, ArrowRight: 8}[event.key], zoom = {"+": 1.25, "=": 1.25, "-": 0.8}[event.key];
    if (shift) scale.scrollToPosition(scale.scrollPosition() + shift, false);
    else if (zoom) scale.applyOptions({barSpacing: Math.max(0.5, Math.min(60, scale.options().barSpacing * zoom))});
    else return;
    event.preventDefault();
  });
  return chart;
}

/** Axis labels with as few decimals as they need; one that would lie under a tag is left out. */
function ticks(prices, series, tagged, spell, most) {
  let digits = 0;
  while (digits < most && prices.some(price => Math.abs(price - Number(price.toFixed(digits))) > 10 ** -most / 2)) digits += 1;
  const tags = tagged().map(value => series?.priceToCoordinate(value)).filter(at => at != null);
  return prices.map(price => (tags.some(at => Math.abs(at - series.priceToCoordinate(price)) < 15) ? "" : spell(price, digits)));
}

/** Draws resting orders across the candles and fills above them. */
class Overlay {
  constructor(owner) {
    this.owner = owner;
    const layer = (order, draw) => ({zOrder: () => order, renderer: () => ({draw: target => target.useMediaCoordinateSpace(scope => draw.call(this, scope.context, scope.mediaSize))})});
    this.views = [layer("normal", this.lines), layer("top", this.fills)];
  }
  attached({requestUpdate}) { this.redraw = requestUpdate; }
  detached() { this.redraw = null; }
  paneViews() { return this.views; }
  updateAllViews() {}

  lines(g, {width, height}) {
    const {series, colours: c, resting, last} = this.owner;
    const near = resting.length > CROWDED ? new Set([...resting].sort((a, b) => Math.abs(a.price - last) - Math.abs(b.price - last)).slice(0, LABELLED_LINES)) : new Set(resting);
    const wide = width >= 440;
    g.font = "11px " + c.font; g.textBaseline = "middle"; g.textAlign = "right"; g.lineWidth = 1;
    for (const order of resting) {
      const at = series.priceToCoordinate(order.price);
      if (at == null || at < 0 || at > height) continue;
      const y = Math.round(at) + 0.5, colour = order.side === "buy" ? c.profit : c.loss, stub = width - (wide ? 82 : 30);
      g.strokeStyle = g.fillStyle = colour;
      g.globalAlpha = 0.42; g.setLineDash([1, 4]); stroke(g, 0, stub, y); g.globalAlpha = 1;
      const text = `${order.side} ${order.label}`, room = wide && near.has(order) ? g.measureText(text).width + 10 : 0;
      g.setLineDash(order.type.startsWith("stop") ? [6, 3] : []);
      stroke(g, stub, width - room, y);
      if (!room) continue;
      g.fillStyle = c.panel; g.fillRect(width - room, y - 7, room, 14); g.fillStyle = colour; g.fillText(text, width - 5, y);
    }
    g.setLineDash([]);
  }

  fills(g) {
    const {chart, series, colours: c, filled, barAt} = this.owner;
    const scale = chart.timeScale(), range = scale.getVisibleLogicalRange();
    if (!range) return;
    const screen = range.to - range.from;
    for (const {index, side} of filled) {
      if (index < range.from - screen || index > range.to + screen) continue;
      const bar = barAt(index), buy = side === "buy", x = scale.logicalToCoordinate(index), edge = series.priceToCoordinate(buy ? bar.low : bar.high);
      if (x == null || edge == null) continue;
      triangle(g, x, edge + (buy ? 8 : -8), buy ? 1 : -1, buy ? c.profit : c.loss, c.panel);
    }
  }
}

function stroke(g, from, to, y) { g.beginPath(); g.moveTo(from, y); g.lineTo(to, y); g.stroke(); }

function triangle(g, x, y, direction, colour, ground) {
  const s = 4.5;
  g.beginPath(); g.moveTo(x, y - direction * s); g.lineTo(x + s, y + direction * s * 0.8); g.lineTo(x - s, y + direction * s * 0.8); g.closePath();
  g.lineJoin = "round"; g.strokeStyle = ground; g.lineWidth = 3; g.stroke(); g.fillStyle = colour; g.fill();
}

/** Candles of one symbol: `bars` for all of them, `bar` for the newest, `marks` for fills, `lines` for orders. */
export class CandleChart {
  constructor(host, onPick) {
    this.chart = mount(host); this.data = []; this.fillList = []; this.filled = []; this.resting = []; this.last = 0; this.places = 2;
    this.barAt = index => this.data[index];
    if (!this.chart) return;
    const {CandlestickSeries, HistogramSeries} = library();
    this.volume = this.chart.addSeries(HistogramSeries, {priceScaleId: "", lastValueVisible: false, priceLineVisible: false, priceFormat: {type: "volume"}});
    this.volume.priceScale().applyOptions({scaleMargins: {top: 0.9, bottom: 0}});
    this.series = this.chart.addSeries(CandlestickSeries, {lastValueVisible: false, priceLineVisible: false, priceFormat: this.format(2)});
    this.series.priceScale().applyOptions({scaleMargins: {top: 0.08, bottom: 0.13}});
    this.tag = this.series.createPriceLine({price: 0, lineStyle: 1, lineWidth: 1, lineVisible: false, axisLabelVisible: false, title: ""});
    this.overlay = new Overlay(this); this.series.attachPrimitive(this.overlay);
    this.chart.subscribeCrosshairMove(event => onPick(this.data[event.logical] ?? this.data.at(-1)));
    this.host = host; this.theme();
  }
  format(places) { return {type: "custom", minMove: 10 ** -places, formatter: price => this.price(price), tickmarksFormatter: prices => ticks(prices, this.series, () => [this.last], (price, digits) => money(price.toFixed(digits), digits), this.places)}; }
  price(value) { return money(value.toFixed(this.places), this.places); }
  theme() {
    if (!this.chart) return;
    const c = this.colours = ink();
    this.chart.applyOptions(options(c));
    this.series.applyOptions({upColor: c.panel, downColor: c.loss, borderUpColor: c.profit, borderDownColor: c.loss, wickUpColor: c.profit, wickDownColor: c.loss});
    this.volume.applyOptions({color: opaque(c.edge, 0.28)});
    this.tag.applyOptions({color: c.text, axisLabelColor: c.text, axisLabelTextColor: c.panel});
  }
  bars(candles, places) {
    this.places = places;
    this.data = candles.map(toBar);
    if (!this.chart) return;
    this.host.toggleAttribute("data-empty", !this.data.length);
    this.series.applyOptions({priceFormat: this.format(places)});
    this.series.setData(this.data); this.volume.setData(this.data.map(toVolume));
    const width = this.host.clientWidth, spacing = Math.min(12, Math.max(6, (width - 170) / Math.max(1, this.data.length))), offset = Math.ceil((width < 500 ? 34 : 92) / spacing);
    this.chart.timeScale().applyOptions({barSpacing: spacing, rightOffset: offset}); this.chart.timeScale().scrollToPosition(offset, false);
    this.mark();
  }
  bar(candle) {
    const bar = toBar(candle), newest = this.data.at(-1);
    if (newest && bar.time < newest.time) return;
    if (newest && bar.time === newest.time) this.data[this.data.length - 1] = bar; else this.data.push(bar);
    if (!this.chart) return;
    this.host.toggleAttribute("data-empty", false);
    this.series.update(bar); this.volume.update(toVolume(bar)); this.mark();
  }
  marks(fills) { this.fillList = fills; this.mark(); }
  lines(orders) { this.resting = orders; this.overlay?.redraw?.(); }
  /** Put each fill on the bar it fell in: one mark per bar and side. */
  mark() {
    const newest = this.data.at(-1), seen = new Set();
    this.filled = [];
    for (const {time, side} of this.fillList) {
      const index = this.indexAt(time), key = index + side;
      if (index < 0 || seen.has(key)) continue;
      seen.add(key); this.filled.push({index, side});
    }
    if (!this.chart) return;
    this.last = newest?.close ?? 0;
    this.tag.applyOptions({price: this.last, lineVisible: !!newest, axisLabelVisible: !!newest});
    this.overlay.redraw?.();
  }
  indexAt(time) {
    let low = 0, high = this.data.length;
    while (low < high) { const middle = (low + high) >> 1; if (this.data[middle].time <= time) low = middle + 1; else high = middle; }
    return low - 1;
  }
  destroy() { this.chart?.remove(); this.chart = null; }
}

const toBar = ([time, open, high, low, close, volume]) => ({time, open: Number(open), high: Number(high), low: Number(low), close: Number(close), volume: Number(volume)});
const toVolume = bar => ({time: bar.time, value: bar.volume});

/** Tags at the right axis that keep out of each other's way. */
class Tags {
  constructor(owner) {
    this.owner = owner;
    this.views = ["ours", "hold"].map(name => ({coordinate: () => this.place()[name], text: () => this.owner.tagText(name), textColor: () => name === "ours" ? owner.colours.panel : owner.colours["text-2"], backColor: () => name === "ours" ? owner.colours.ours : owner.colours.sunk, visible: () => owner.points.length > 1, tickVisible: () => false}));
  }
  attached() {}
  detached() {}
  updateAllViews() {}
  paneViews() { return []; }
  priceAxisViews() { return this.views; }
  place() {
    const newest = this.owner.points.at(-1), at = value => this.owner.ours.priceToCoordinate(value) ?? 0;
    let ours = at(newest?.equity ?? 0), hold = at(newest?.hold ?? 0);
    if (Math.abs(ours - hold) < 20) { const middle = (ours + hold) / 2, side = ours > hold ? 1 : -1; ours = middle + side * 10; hold = middle - side * 10; }
    return {ours, hold};
  }
}

/** A word in the corner of a pane. */
const caption = (text, colours) => ({paneViews: () => [{zOrder: () => "top", renderer: () => ({draw: target => target.useMediaCoordinateSpace(({context: g}) => { const c = colours(); g.font = "11px " + c.font; g.fillStyle = c["text-3"]; g.textBaseline = "middle"; g.textAlign = "left"; g.fillText(text, 8, 10); })})}]});

/** Equity against buy and hold in one scale, drawdown beneath in its own. */
export class EquityChart {
  constructor(host, onPick) {
    this.chart = mount(host); this.host = host; this.points = [];
    if (!this.chart) return;
    const {LineSeries, BaselineSeries} = library(), quiet = {lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false};
    const whole = {type: "custom", minMove: 0.01, formatter: value => money(value.toFixed(2)), tickmarksFormatter: values => ticks(values, this.ours, () => this.tagValues(), (value, digits) => money(value.toFixed(digits), digits), 2)};
    this.hold = this.chart.addSeries(LineSeries, {...quiet, lineWidth: 1, priceFormat: whole});
    this.ours = this.chart.addSeries(LineSeries, {...quiet, lineWidth: 2, priceFormat: whole});
    this.depth = this.chart.addSeries(BaselineSeries, {...quiet, lineWidth: 1, baseValue: {type: "price", price: 0}, priceFormat: {type: "custom", minMove: 0.0001, formatter: value => percent(value, this.worst() > -0.02 ? 1 : 0)}, autoscaleInfoProvider: () => ({priceRange: {minValue: Math.min(-0.005, this.worst() * 1.15), maxValue: 0}})}, 1);
    this.depth.priceScale().applyOptions({scaleMargins: {top: 0.28, bottom: 0.04}});
    this.ours.priceScale().applyOptions({scaleMargins: {top: 0.08, bottom: 0.08}});
    const [upper, lower] = this.chart.panes(); upper.setStretchFactor(0.7); lower.setStretchFactor(0.3);
    this.tags = new Tags(this); this.ours.attachPrimitive(this.tags); this.depth.attachPrimitive(caption("Drawdown", () => this.colours));
    this.chart.subscribeCrosshairMove(event => onPick(this.points[event.logical] ?? this.points.at(-1), this.points[0]));
    this.theme();
  }
  /** Where the tags stand, as values of the scale, so that axis labels can keep away from them. */
  tagValues() { return this.tags ? Object.values(this.tags.place()).map(at => this.ours.coordinateToPrice(at)) : []; }
  worst() { return this.deepest ?? 0; }
  tagText(name) { const first = this.points[0], newest = this.points.at(-1); return newest ? percent((name === "ours" ? newest.equity / first.equity : newest.hold / first.hold) - 1) : ""; }
  theme() {
    if (!this.chart) return;
    const c = this.colours = ink();
    this.chart.applyOptions(options(c));
    this.hold.applyOptions({color: opaque(c.hold, 0.8)}); this.ours.applyOptions({color: c.ours});
    this.depth.applyOptions({topLineColor: c.loss, bottomLineColor: c.loss, topFillColor1: opaque(c.loss, 0), topFillColor2: opaque(c.loss, 0), bottomFillColor1: opaque(c.loss, 0.22), bottomFillColor2: opaque(c.loss, 0.22)});
  }
  bars(points) {
    this.points = points.map(toPoint); this.deepest = Math.min(0, ...this.points.map(point => point.drawdown));
    if (!this.chart) return;
    this.host.toggleAttribute("data-empty", !this.points.length);
    this.hold.setData(this.points.map(p => ({time: p.time, value: p.hold}))); this.ours.setData(this.points.map(p => ({time: p.time, value: p.equity}))); this.depth.setData(this.points.map(p => ({time: p.time, value: p.drawdown})));
    this.chart.timeScale().fitContent();
  }
  bar(item) {
    const point = toPoint(item), newest = this.points.at(-1);
    if (newest && point.time <= newest.time) return;
    this.points.push(point); this.deepest = Math.min(this.deepest ?? 0, point.drawdown);
    if (!this.chart) return;
    this.hold.update({time: point.time, value: point.hold}); this.ours.update({time: point.time, value: point.equity}); this.depth.update({time: point.time, value: point.drawdown});
    this.chart.timeScale().fitContent();
  }
  destroy() { this.chart?.remove(); this.chart = null; }
}

const toPoint = point => ({time: Math.floor(Date.parse(point.time) / 1000), equity: Number(point.equity), hold: Number(point.buy_and_hold), drawdown: point.drawdown});
