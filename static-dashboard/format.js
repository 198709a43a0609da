/* Numbers, times and names as text. A decimal string stays exact: no float touches it. */

const MINUS = "\u2212";
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Print a decimal string with thousands by comma, rounded half up to `places`; `sign` puts a plus before gains. */
export function money(text, places = 2, sign = false) {
  if (text == null || text === "") return "–";
  const negative = String(text).startsWith("-");
  const [whole, fraction = ""] = String(text).replace("-", "").split(".");
  const kept = (fraction + "0".repeat(places + 1)).slice(0, places + 1);
  const rounded = (BigInt(whole + kept) + 5n) / 10n;
  const digits = rounded.toString().padStart(places + 1, "0");
  const units = places ? digits.slice(0, -places) : digits;
  const grouped = units.replace(/\B(?=(\d{3})+$)/g, ",") + (places ? "." + digits.slice(-places) : "");
  return (rounded === 0n ? "" : negative ? MINUS : sign ? "+" : "") + grouped;
}

/** How many decimals a decimal string has. */
export const decimals = text => (String(text ?? "").split(".")[1] ?? "").length;

/** Print a price or quantity with the decimals it came with. */
export const exact = text => money(text, decimals(text));

/** Print a ratio as percent. */
export function percent(ratio, places = 2, sign = true) {
  if (ratio == null || !Number.isFinite(ratio)) return "–";
  const isZero = Math.abs(ratio) < 0.5 * 10 ** -(places + 2);
  return (isZero ? "" : ratio < 0 ? MINUS : sign ? "+" : "") + (Math.abs(ratio) * 100).toFixed(places) + "%";
}

/** The class of a gain, a loss or neither. */
export function tone(value) {
  const number = Number(value);
  return number > 0 ? "up" : number < 0 ? "down" : "flat";
}

/** Print a duration given in milliseconds. */
export function duration(ms) {
  if (ms == null) return "–";
  if (ms < 10_000) return (ms / 1000).toFixed(1) + " s";
  if (ms < 60_000) return Math.round(ms / 1000) + " s";
  if (ms < 3_600_000) return Math.floor(ms / 60_000) + " min";
  if (ms < 86_400_000) return Math.floor(ms / 3_600_000) + " h";
  return Math.floor(ms / 86_400_000) + " d";
}

export const clock = iso => iso.slice(11, 19);
export const dayAndTime = iso => iso.slice(5, 10) + " " + iso.slice(11, 16);
export const localTime = iso => new Date(iso).toLocaleString() + " local";
export const isoOf = seconds => new Date(seconds * 1000).toISOString();

/** Show control and direction characters of a name by their code. */
export const plain = text => String(text ?? "").replace(HIDDEN, c => "⟨U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
