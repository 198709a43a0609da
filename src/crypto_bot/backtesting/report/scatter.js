/* Round trips as points: what each brought against how far the price went. Plain SVG, so that it prints and scales. */

const SVG = "http://www.w3.org/2000/svg";
function shape(tag, cls, attributes, text) {
  const e = document.createElementNS(SVG, tag);
  if (cls) e.setAttribute("class", cls);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, typeof value === "number" ? value.toFixed(1) : value);
  if (text !== undefined) e.textContent = text;
  return e;
}

/* Round steps of 1, 2 or 5, no more of them than there is room for. */
function steps(low, high, most) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find(n => n * power >= raw) * power, found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n += 1) found.push(Number((n * step).toPrecision(6)));
  return [found, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
}

/* The middle 99 of 100 values, with 0 in it: one wild trade must not press all others into a corner. Others stick to the edge. */
function reach(values) {
  const sorted = [...values].sort((a, b) => a - b), cut = Math.floor(sorted.length * .005);
  const low = Math.min(0, sorted[cut] ?? 0), high = Math.max(0, sorted[sorted.length - 1 - cut] ?? 0), room = (high - low || 1) * .06;
  return [low - (low < 0 ? room : 0), high + (high > 0 ? room : 0)];
}

function scatterPlot(box, xs, ys, names) {
  const width = Math.max(box.clientWidth, 240), height = 250, left = 46, right = 14, top = 10, bottom = 38;
  const [x0, x1] = reach(xs), [y0, y1] = reach(ys), inside = (v, a, z) => Math.min(Math.max(v, a), z);
  const x = v => left + (inside(v, x0, x1) - x0) / (x1 - x0 || 1) * (width - left - right), y = v => top + (y1 - inside(v, y0, y1)) / (y1 - y0 || 1) * (height - top - bottom);
  const svg = shape("svg", "points", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": names.label});
  const [across, xPlaces] = steps(x0, x1, Math.max(3, Math.floor(width / 90))), [up, yPlaces] = steps(y0, y1, 5);
  for (const v of across) svg.append(shape("line", v ? "grid" : "zero", {x1: x(v), x2: x(v), y1: top, y2: height - bottom}), shape("text", "tick", {x: x(v), y: height - bottom + 15, "text-anchor": "middle"}, grouped(v, xPlaces)));
  for (const v of up) svg.append(shape("line", v ? "grid" : "zero", {x1: left, x2: width - right, y1: y(v), y2: y(v)}), shape("text", "tick", {x: left - 6, y: y(v) + 4, "text-anchor": "end"}, grouped(v, yPlaces)));
  const from = Math.max(x0, y0), to = Math.min(x1, y1);
  if (to > from) svg.append(shape("line", "bound", {x1: x(from), y1: y(from), x2: x(to), y2: y(to)}));
  for (const [cls, of] of [["down", v => v < 0], ["up", v => v >= 0]]) {
    const d = xs.flatMap((v, i) => (of(ys[i]) ? [`M${x(v).toFixed(1)} ${y(ys[i]).toFixed(1)}h0`] : [])).join("");
    if (d) svg.append(shape("path", `dots ${cls}`, {d}));
  }
  svg.append(shape("text", "axis", {x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle"}, names.across));
  box.replaceChildren(svg);
}

function scatter() {
  const {total, adverse, favourable, net} = data.scatter, boxes = [$("plot-mae"), $("plot-mfe")];
  $("scatter-count").textContent = total > net.length ? `${net.length.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} round trips` : "";
  document.querySelector(".moves").hidden = !total;
  if (!total) return;
  const mean = (list, test) => { const some = list.filter((_, i) => test(net[i])); return some.length ? signed(some.reduce((a, b) => a + b, 0) / some.length, 2) + "%" : "none"; };
  const draw = () => {
    scatterPlot(boxes[0], adverse, net, {across: "furthest against, % of cost", label: `Return of each round trip against the furthest fall before it closed. Mean fall of winners ${mean(adverse, v => v > 0)}, of losers ${mean(adverse, v => v < 0)}.`});
    scatterPlot(boxes[1], favourable, net, {across: "furthest in favour, % of cost", label: `Return of each round trip against the furthest rise before it closed. Mean rise of winners ${mean(favourable, v => v > 0)}, of losers ${mean(favourable, v => v < 0)}.`});
  };
  $("say-mae").textContent = `mean: winners ${mean(adverse, v => v > 0)}, losers ${mean(adverse, v => v < 0)}`;
  $("say-mfe").textContent = `mean: winners ${mean(favourable, v => v > 0)}, losers ${mean(favourable, v => v < 0)}`;
  draw();
  let last = boxes[0].clientWidth;
  new ResizeObserver(() => { if (boxes[0].clientWidth !== last) { last = boxes[0].clientWidth; draw(); } }).observe(boxes[0]);
}
