/* The desk: asks the bot once a second what is new and shows it. It sends nothing but questions. */

import {CandleChart, EquityChart} from "./charts.js";
import {ask, dropToken, hasToken, Refused, setToken, takeToken} from "./client.js";
import {clock, decimals, duration, exact, localTime, money, percent, plain, tone} from "./format.js";
import {make, put, showOrders, showTrades} from "./tables.js";

const $ = id => document.getElementById(id);
const root = document.documentElement, body = document.body;
const TRADES = 200, TRADES_MOST = 1000, POINTS = 1500, POINTS_MOST = 4000, CANDLES = 1000;
const RETRY_S = [1, 2, 4, 8, 15];
const LONGER = ["5m", "15m", "1h", "4h", "1d"], SECONDS = {m: 60, h: 3600, d: 86400, w: 604800};
const ENDED = ["stopped", "finished", "failed"];

/* What the page knows. `seen` is the sequence that the panels show. */
const page = {status: null, seen: -2, symbol: null, timeframe: null, orders: [], trades: [], older: null, chart: "", opened: performance.now(), lost: 0, failures: 0, wait: 0, busy: false, refused: ""};

/* ---- theme ------------------------------------------------------------- */
const dark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const query = new URLSearchParams(location.search);
if (query.get("palette") === "blue") root.dataset.palette = "blue";
let theme = ["dark", "light"].includes(query.get("theme")) ? query.get("theme") : localStorage.getItem("theme") ?? "auto";
function applyTheme() {
  root.dataset.scheme = theme === "dark" || (theme === "auto" && dark.matches) ? "dark" : "light";
  $("theme").setAttribute("aria-label", "Theme: " + {auto: "follow the system", dark: "dark", light: "light"}[theme]);
  candles?.theme(); equity?.theme();
}
let candles = null, equity = null;
applyTheme();
candles = new CandleChart($("plot-price"), showBar);
equity = new EquityChart($("plot-eq"), showPoint);
dark.addEventListener("change", applyTheme);
$("theme").addEventListener("click", () => { theme = {auto: "dark", dark: "light", light: "auto"}[theme]; localStorage.setItem("theme", theme); applyTheme(); });

/* ---- words that are spoken and shown ------------------------------------- */
const say = text => put($("say"), text), shout = text => put($("shout"), text);
let toastTimer = 0, lastSpoken = 0;
function toast(text) { put($("toast"), text); $("toast").hidden = false; say(text); clearTimeout(toastTimer); toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000); }
let action = null;
function notice(kind, head = "", text = "", label = "", act = null) {
  const box = $("notice"), [title, sentence, button] = box.children;
  if (head && title.textContent !== head && box.dataset.kind !== kind) (kind === "bad" || kind === "lost" ? shout : say)(`${head}. ${text}`);
  box.hidden = !head; box.dataset.kind = head ? kind : ""; box.className = kind === "bad" ? "notice bad" : "notice";
  put(title, head); put(sentence, text); button.hidden = !label; put(button, label); action = act;
}
$("notice").lastElementChild.addEventListener("click", () => action?.());

/* ---- bar and strip --------------------------------------------------------- */
const MODES = {dry_run: ["DRY", "Synthetic prices, simulated fills, no socket"], paper: ["PAPER", "Recorded or live prices, simulated fills, no keys"], demo: ["DEMO", "The exchange's test account"], live: ["LIVE", "Real orders with real money"]};
const STATES = {running: "Running", halted: "Halted", starting: "Starting", stopped: "Stopped", finished: "Finished", failed: "Failed", unknown: "Unknown"};
const modeOf = s => (s.mode === "live" && ["testnet", "demo", "practice"].includes(s.environment) ? "demo" : s.mode === "forward" ? "paper" : s.mode);

function figure(id, text, className) {
  const node = $(id);
  if (node.textContent !== text) {
    const first = node.textContent === "–";
    put(node, text);
    if (!first && !calm.matches && !document.hidden) node.animate([{backgroundColor: "color-mix(in srgb, var(--accent) 18%, transparent)"}, {backgroundColor: "transparent"}], {duration: 500, easing: "ease-out"});
  }
  if (className != null) for (const one of ["up", "down", "flat"]) node.classList.toggle(one, one === className);
}

function showState(state) { $("state").dataset.s = state; put($("state").lastElementChild, STATES[state] ?? plain(state)); }

function showStatus(s) {
  const mode = modeOf(s), [word, meaning] = MODES[mode] ?? ["–", ""];
  body.dataset.mode = mode ?? ""; put($("mode"), word); $("mode").title = meaning;
  showState(s.state);
  for (const unit of document.querySelectorAll(".unit")) put(unit, plain(s.quote));
  figure("k-equity", money(s.equity));
  put($("k-cash"), s.cash == null ? "\u00a0" : `Cash ${money(s.cash)} · in the market ${percent(s.exposure, 1, false)}`);
  const p = s.pnl;
  figure("k-day", money(p?.day, 2, true), tone(p?.day)); put($("k-daypct"), p ? percent(p.day_pct) : "\u00a0");
  figure("k-total", money(p?.total, 2, true), tone(p?.total));
  put($("k-totalpct"), p ? `${percent(p.total_pct)} in ${duration(Math.max(60_000, Date.parse(s.event_time) - Date.parse(s.started_at)))}` : "\u00a0");
  figure("k-bh", percent(p?.buy_and_hold_pct));
  const ahead = p ? p.total_pct - p.buy_and_hold_pct : 0, points = (Math.abs(ahead) * 100).toFixed(2);
  put($("k-bhdiff"), !p ? "\u00a0" : points === "0.00" ? "bot is level" : `bot is ${points} points ${ahead < 0 ? "behind" : "ahead"}`);
  figure("k-fees", money(p?.fees)); put($("k-split"), p ? `realised ${money(p.realised, 2, true)}` : "\u00a0");
  const d = s.drawdown;
  figure("k-dd", percent(d?.now)); put($("k-ddlim"), d ? (d.limit ? `of ${percent(d.limit, 0)} · ` : "") + `worst ${percent(d.max)}` : "");
  meter($("g-dd"), d?.limit ? d.now / d.limit : null);
  put($("f-run"), s.run_id ? `Run ${plain(s.run_id)} · ${[s.venue, s.environment].filter(Boolean).map(plain).join(" ")} · version ${plain(s.version)}` : `No run yet · version ${plain(s.version)}`);
  document.title = (p ? `${money(p.day, 2, true)} today · ${word} · ` : "") + "CryptoTrader";
}

function meter(node, used) {
  node.hidden = used == null;
  if (used == null) return;
  const part = Math.max(0, Math.min(1, used));
  node.firstElementChild.style.setProperty("--v", part.toFixed(4));
  node.setAttribute("aria-valuenow", String(Math.round(part * 100))); node.setAttribute("aria-valuetext", `${Math.round(part * 100)}% of the limit used`);
  node.dataset.l = used >= 1 ? "bad" : used >= 0.75 ? "warn" : "ok";
}

/** Show how old everything is, also while the server is silent. */
function showAges() {
  const s = page.status;
  if (!s) return;
  const silent = page.lost ? performance.now() - page.lost : 0;
  const age = (id, ms, late) => { put($(id).lastElementChild, duration(ms)); $(id).className = late ? "late" : ""; };
  const ended = ENDED.includes(s.state);
  age("age-feed", s.feed.age_ms == null ? null : s.feed.age_ms + silent, s.feed.state === "stale" || (silent > 0 && !ended));
  age("age-replica", s.replica.age_ms == null ? null : s.replica.age_ms + silent, s.replica.age_ms + silent > 2000);
  const now = new Date(Date.parse(s.time) + silent).toISOString();
  put($("clock"), `${clock(now)} UTC`); $("clock").dateTime = now; $("clock").title = localTime(now);
}

/** Say what stands between the reader and fresh figures: the gravest thing only. */
function showNotice() {
  const s = page.status;
  const fresh = !page.lost && !page.refused && (!s || (s.feed.state !== "stale" && (!s.problem || ENDED.includes(s.state))));
  body.dataset.fresh = fresh ? "yes" : "no";
  if (page.refused) return notice("bad", "The server refused the request", page.refused, "Try now", poll);
  if (page.lost && ENDED.includes(s?.state)) return notice("ended", "The bot has ended", "These are its last numbers. Start it again and this page goes on.", "Try now", poll);
  if (page.lost) return notice("lost", `Connection lost ${duration(Math.max(1000, performance.now() - page.lost)).replace(/\.\d/, "")} ago`, `These are the last known numbers; the bot may still be trading. Trying again in ${page.wait} s.`, "Try now", poll);
  if (!s) return performance.now() - page.opened > 3000 && hasToken() ? notice("warn", "Still loading.", "The server has not answered for 3 s.", "Try again", poll) : notice("");
  if (s.problem) return notice(s.run_id && !ENDED.includes(s.state) ? "bad" : "warn", ENDED.includes(s.state) ? "The bot is not running" : s.run_id ? "The journal cannot be followed" : "Waiting for the bot", sentence(s.problem));
  if (s.halt) {
    const at = `${clock(s.halt.at)} UTC`, why = plain(s.halt.reason);
    if (s.halt.by) return notice("bad", `Halted by ${plain(s.halt.by)} at ${at}`, `No new orders are opened.${why ? ` Reason: ${sentence(why)}` : ""}`);
    return notice("bad", why ? `Halted: ${why}` : "Halted", `No new orders are opened since ${at}. Positions keep their stops.`);
  }
  if (s.feed.state === "stale") return notice("warn", `Prices are ${duration(s.feed.age_ms).replace(/\.\d/, "")} old`, "Opening orders are held back until the feed returns. Stops at the exchange stay active.");
  if (s.failed.length) return notice("warn", s.failed.length > 1 ? "Strategies are switched off" : "A strategy is switched off", `${s.failed.map(sentence).join(" ")} Its orders are taken back, and what it holds keeps its stops.`);
  notice("");
}
const sentence = text => { const one = plain(text); return one.charAt(0).toUpperCase() + one.slice(1) + (/[.!?]$/.test(one) ? "" : "."); };

/* ---- charts ------------------------------------------------------------------ */
function showBar(bar) {
  const host = $("ohlc");
  if (!bar) { host.replaceChildren(); return; }
  if (!host.firstChild) for (const name of ["O", "H", "L", "C", "Δ"]) host.append(make("b", "", name), make("span"));
  const cells = host.querySelectorAll("span"), places = candles.places;
  [bar.open, bar.high, bar.low, bar.close].forEach((value, number) => put(cells[number], money(value.toFixed(places), places)));
  put(cells[4], percent(bar.close / bar.open - 1)); cells[4].className = tone(bar.close - bar.open);
}

function showPoint(point, first) {
  const host = $("eqread");
  if (!point || !first) { host.replaceChildren(); return; }
  if (!host.firstChild) host.append(make("b", "", "Bot"), make("span", "eq"), make("b", "", "Buy and hold"), make("span"));
  const cells = host.querySelectorAll("span");
  put(cells[0], percent(point.equity / first.equity - 1)); put(cells[1], percent(point.hold / first.hold - 1));
}

const seconds = name => Number(name.slice(0, -1)) * SECONDS[name.slice(-1)];
function offerTimeframes(base) {
  const names = [base, ...LONGER.filter(name => seconds(name) > seconds(base) && seconds(name) % seconds(base) === 0)].slice(0, 4);
  $("tf").replaceChildren(...names.map(name => { const button = make("button", "", name); button.type = "button"; button.addEventListener("click", () => chooseTimeframe(name)); return button; }));
  chooseTimeframe(names[0], true);
}
function chooseTimeframe(name, quiet) {
  page.timeframe = name;
  for (const button of $("tf").children) button.setAttribute("aria-pressed", String(button.textContent === name));
  if (!quiet) refresh(true);
}
function offerSymbols(symbols) {
  put($("h-price"), plain(symbols[0] ?? "Candles")); $("h-price").className = symbols.length > 1 ? "vh" : "";
  $("symbol").hidden = symbols.length < 2;
  $("symbol").replaceChildren(...symbols.map(symbol => { const option = make("option", "", plain(symbol)); option.value = symbol; return option; }));
  page.symbol = symbols[0] ?? null;
}
$("symbol").addEventListener("change", () => { page.symbol = $("symbol").value; put($("h-price"), plain(page.symbol)); refresh(true); });

async function loadCandles(whole) {
  if (!page.symbol) return;
  const asked = `${page.symbol} ${page.timeframe}`, fresh = whole || page.chart !== asked;
  const answer = await ask("/api/ohlcv", {symbol: page.symbol, timeframe: page.timeframe, limit: fresh ? CANDLES : 20});
  if (asked !== `${page.symbol} ${page.timeframe}`) return;
  const gap = !fresh && answer.items.length && candles.data.length && answer.items[0][0] > candles.data.at(-1).time;
  if (gap) return loadCandles(true);
  if (fresh) { candles.bars(answer.items, decimals(answer.items[0]?.[4])); page.chart = asked; } else answer.items.forEach(item => candles.bar(item));
  showBar(candles.data.at(-1));
}

async function loadEquity(whole) {
  const newest = equity.points.at(-1), fresh = whole || !newest || equity.points.length > POINTS_MOST;
  const answer = await ask("/api/equity", fresh ? {limit: POINTS} : {limit: POINTS, since: new Date(newest.time * 1000).toISOString()});
  if (fresh) equity.bars(answer.points); else answer.points.forEach(point => equity.bar(point));
  showPoint(equity.points.at(-1), equity.points[0]);
}

/* ---- tables -------------------------------------------------------------------- */
function showTables() {
  const filter = $("filter").value, s = page.status;
  put($("n-orders"), s?.open_orders ? String(s.open_orders) : ""); put($("n-trades"), s?.trades ? String(s.trades) : "");
  showOrders($("p-orders"), page.orders, {now: Date.parse(s?.event_time ?? s?.time), filter});
  showTrades($("p-trades"), page.trades, {filter});
  $("older").hidden = !page.older || page.trades.length >= TRADES_MOST;
  const mine = item => item.symbol === page.symbol;
  candles.lines(page.orders.filter(o => mine(o) && o.price != null).map(o => ({price: Number(o.price), side: o.side, type: o.type, label: exact(o.quantity).replace(/\.?0+$/, "")})));
  candles.marks(page.trades.filter(mine).map(t => ({time: Math.floor(Date.parse(t.time) / 1000), side: t.side})));
}

async function loadTables() {
  const [orders, trades] = await Promise.all([ask("/api/orders", {limit: 1000}), ask("/api/trades", {limit: TRADES})]);
  page.orders = orders.items;
  const known = page.trades[0], fresh = known ? trades.items.findIndex(t => t.sequence === known.sequence) : -1;
  if (fresh >= 0) page.trades = [...trades.items.slice(0, fresh), ...page.trades].slice(0, Math.max(TRADES, page.trades.length));
  else { page.trades = trades.items; page.older = trades.next; }
  if (fresh > 0 && performance.now() - lastSpoken > 5000) { const t = trades.items[0]; lastSpoken = performance.now(); say(`${fresh} ${fresh > 1 ? "fills" : "fill"}, last ${t.side} ${exact(t.quantity)} ${plain(t.symbol)} at ${exact(t.price)}`); }
}
$("older").addEventListener("click", async () => {
  const last = page.trades.length, answer = await ask("/api/trades", {limit: TRADES, cursor: page.older});
  page.trades = [...page.trades.slice(0, last), ...answer.items]; page.older = answer.next; showTables();
});
$("filter").addEventListener("input", showTables);

/* ---- the beat ------------------------------------------------------------------- */
/** Bring the panels up to the status; `whole` loads them anew. */
async function refresh(whole) {
  await Promise.all([loadTables(), loadCandles(whole), loadEquity(whole)]);
  showTables();
  describe();
}

async function poll() {
  if (page.busy || !hasToken()) return;
  page.busy = true;
  try {
    const s = await ask("/api/status"), before = page.status, other = before?.run_id !== s.run_id || before?.timeframe !== s.timeframe;
    page.status = s; page.refused = "";
    if (other && s.timeframe) { page.trades = []; page.older = null; offerSymbols(s.symbols); offerTimeframes(s.timeframe); page.seen = -2; }
    showStatus(s); body.dataset.phase = "ready";
    if (s.sequence !== page.seen) { await refresh(other); page.seen = s.sequence; } else if (!before) showTables();
    if (page.lost) { page.lost = 0; toast(`Connected again. ${Math.max(0, s.sequence - (before?.sequence ?? s.sequence))} events caught up.`); }
    page.failures = page.wait = 0;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) signIn("That token was not accepted.");
    else if (error instanceof Refused) { page.refused = `${plain(error.message)} (${error.status}).`; page.wait = 5; }
    else { if (page.status && !page.lost) page.lost = performance.now(); page.wait = RETRY_S[Math.min(page.failures++, RETRY_S.length - 1)]; if (page.status && !ENDED.includes(page.status.state)) showState("unknown"); }
  } finally { page.busy = false; }
  showAges(); showNotice();
}

function beat() {
  if (page.wait > 0) page.wait -= 1;
  if (page.wait === 0) poll();
  showAges(); showNotice();
}

/** Tell the charts in words. */
function describe() {
  const s = page.status, last = candles.data.at(-1);
  $("plot-price").setAttribute("aria-label", last ? `${plain(page.symbol)}, ${page.timeframe} candles. Last price ${money(last.close.toFixed(candles.places), candles.places)} ${plain(s.quote)}. ${page.orders.length} resting orders, ${candles.filled.length} recent fills.` : "Candles. None yet.");
  $("plot-eq").setAttribute("aria-label", s.pnl ? `Equity since the start ${percent(s.pnl.total_pct)}, buy and hold ${percent(s.pnl.buy_and_hold_pct)}. Worst drawdown ${percent(s.drawdown?.max)}.` : "Equity. None yet.");
}

/* ---- signing in --------------------------------------------------------------------- */
function signIn(complaint) {
  const tried = hasToken();
  dropToken(); put($("dl-e"), tried ? complaint : ""); $("dl-t").value = "";
  if (!$("dlg-login").open) $("dlg-login").showModal();
  $("dl-t").focus();
}
$("dlg-login").addEventListener("cancel", event => event.preventDefault());
$("dlg-login").querySelector("form").addEventListener("submit", event => {
  const token = $("dl-t").value.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) { event.preventDefault(); put($("dl-e"), token ? "That token was not accepted." : "Paste a token first."); return; }
  setToken(token); page.opened = performance.now(); page.wait = 0; queueMicrotask(poll);
});

/* ---- tabs, views, keys ------------------------------------------------------------------ */
const tabs = [...document.querySelectorAll("[role=tab]")];
function choose(tab, focus) { for (const one of tabs) { const on = one === tab; one.setAttribute("aria-selected", String(on)); one.tabIndex = on ? 0 : -1; $(one.getAttribute("aria-controls")).hidden = !on; } if (focus) tab.focus(); }
tabs.forEach((tab, place) => {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", event => { const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]; if (step) { choose(tabs[(place + step + tabs.length) % tabs.length], true); event.preventDefault(); } });
});
function view() {
  if (takeToken()) { $("dlg-login").close(); poll(); }
  const name = location.hash.slice(1) || "desk";
  if (!["desk", "orders"].includes(name)) return;
  body.dataset.view = name;
  for (const link of document.querySelectorAll("[data-go]")) if (link.dataset.go === name) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
}
addEventListener("hashchange", view);
$("keys").addEventListener("click", () => $("dlg-keys").showModal());
addEventListener("keydown", event => {
  if (event.target.matches("input,textarea,select") || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const frames = [...$("tf").children], at = frames.findIndex(button => button.getAttribute("aria-pressed") === "true"), step = {"[": -1, "]": 1}[event.key];
  if (event.key === "1" || event.key === "2") choose(tabs[event.key - 1], true);
  else if (event.key === "/") { event.preventDefault(); $("filter").focus(); }
  else if (event.key === "?") { event.preventDefault(); $("dlg-keys").showModal(); }
  else if (event.key.toLowerCase() === "t") $("theme").click();
  else if (step) frames[at + step]?.click();
});

view();
if (hasToken()) poll(); else signIn("");
setInterval(beat, 1000);
