/* Talking to the bot: the token, and questions with it. The token never stands in a URL that is sent. */

const KEY = "cryptotrader.token";

/** Take a token from `#token=` once and remove it from the address. */
export function takeToken() {
  const match = /^#token=([\x21-\x7e]+)$/.exec(location.hash);
  if (!match) return false;
  sessionStorage.setItem(KEY, decodeURIComponent(match[1]));
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export const hasToken = () => !!sessionStorage.getItem(KEY);
export const setToken = token => sessionStorage.setItem(KEY, token.trim());
export const dropToken = () => sessionStorage.removeItem(KEY);

/** An answer that is not 2xx. */
export class Refused extends Error {
  constructor(status, detail) { super(detail); this.status = status; }
}

/** Ask for JSON; throws Refused for an error of the server and something else when it cannot be reached. */
export async function ask(path, parameters = {}, patienceMs = 5000) {
  const query = new URLSearchParams(parameters).toString();
  const answer = await fetch(path + (query ? "?" + query : ""), {headers: {Authorization: "Bearer " + sessionStorage.getItem(KEY)}, cache: "no-store", signal: AbortSignal.timeout(patienceMs)});
  if (answer.ok) return answer.json();
  let detail = answer.statusText;
  try { detail = (await answer.json()).detail ?? detail; } catch { /* the sentence is missing, the status is not */ }
  throw new Refused(answer.status, detail);
}
