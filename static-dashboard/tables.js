/* The two tables. A row is keyed by its id, moved and edited, never rebuilt; text goes in by textContent only. */

import {dayAndTime, duration, exact, localTime, money, percent, plain, tone} from "./format.js";

export const make = (tag, className, text) => { const node = document.createElement(tag); if (className) node.className = className; if (text != null) node.textContent = text; return node; };
export const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function patch(body, items, key, columns) {
  const had = new Map([...body.children].map(row => [row.dataset.key, row]));
  items.forEach((item, place) => {
    const id = key(item);
    let row = had.get(id);
    had.delete(id);
    if (!row) {
      row = make("tr"); row.dataset.key = id; row.setAttribute("role", "row");
      for (const column of columns) { const cell = make("td", column.className ?? ""); cell.setAttribute("role", "cell"); row.append(cell); column.once?.(cell, item); }
    }
    columns.forEach((column, number) => {
      if (column.text) put(row.children[number], column.text(item));
      if (column.tone) { const wanted = `${column.className ?? ""} ${column.tone(item)}`; if (row.children[number].className !== wanted) row.children[number].className = wanted; }
    });
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
  });
  for (const row of had.values()) row.remove();
}

function side(cell, item) { cell.append(make("span", `side ${item.side === "sell" ? "sell" : "buy"}`, plain(item.side))); }

/** A quantity with its trailing zeros in grey. */
function quantity(cell, item) {
  const text = exact(item.quantity), bare = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  cell.append(bare, make("span", "frac", text.slice(bare.length)));
}

function empty(panel, count, head, text) {
  const table = panel.querySelector("table"), note = panel.querySelector(".empty");
  table.hidden = !count;
  if (count) { note?.remove(); return; }
  if (note) { put(note.firstChild, head); put(note.lastChild, text); return; }
  const fresh = make("p", "empty"); fresh.append(make("b", "", head), make("span", "", text)); panel.append(fresh);
}

const matches = (item, words) => words.every(word => `${item.symbol} ${item.side} ${item.strategy}`.toLowerCase().includes(word));
const chosen = (items, filter) => { const words = filter.toLowerCase().split(/\s+/).filter(Boolean); return words.length ? items.filter(item => matches(item, words)) : items; };
const fraction = order => Number(order.quantity) ? Number(order.filled) / Number(order.quantity) : 0;

export function showOrders(panel, items, {now, filter}) {
  const shown = chosen(items, filter);
  patch(panel.querySelector("tbody"), shown, order => order.order_id, [
    {text: o => plain(o.symbol)}, {once: side}, {className: "r", text: o => (o.price == null ? plain(o.type) : exact(o.price) + (o.type.startsWith("stop") ? " stop" : ""))},
    {className: "r dim", text: o => percent(o.distance_pct)}, {className: "r", once: quantity}, {className: "r dim", text: o => percent(fraction(o), 0, false)},
    {className: "dim x", text: o => plain(o.strategy)}, {className: "r dim x", text: o => duration(Math.max(0, now - Date.parse(o.created_at)))}]);
  for (const row of panel.querySelectorAll("tbody tr")) { const asked = shown.find(o => o.order_id === row.dataset.key)?.status === "unknown"; row.classList.toggle("unknown", asked); row.title = asked ? "asking the exchange" : ""; }
  if (items.length) empty(panel, shown.length, "Nothing matches", "No resting order has these words.");
  else empty(panel, 0, "No resting orders", "They appear here as soon as a strategy places one.");
}

export function showTrades(panel, items, {filter}) {
  const shown = chosen(items, filter);
  patch(panel.querySelector("tbody"), shown, trade => String(trade.sequence), [
    {className: "dim", once: (cell, t) => { cell.textContent = dayAndTime(t.time); cell.title = localTime(t.time); }}, {text: t => plain(t.symbol)}, {once: side}, {className: "r", text: t => exact(t.price)}, {className: "r", once: quantity},
    {className: "r dim x", text: t => money(t.fee, 4)}, {className: "r", tone: t => (t.realised_pnl == null ? "dim" : tone(t.realised_pnl)), text: t => (t.realised_pnl == null ? "–" : money(t.realised_pnl, 2, true))}, {className: "dim x", text: t => plain(t.strategy)}]);
  if (items.length) empty(panel, shown.length, "Nothing matches", "No trade loaded here has these words.");
  else empty(panel, 0, "No trades yet", "The first fill of this run will appear here.");
}
