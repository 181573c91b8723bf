// The collector `my-plugin`: the charges of a vendor's HTTP API.
//
// `GET /costs?page=1&page_size=100&start=2026-03-01&end=2026-04-01` answers
// `{"rows": [{"day": "2026-03-01", "service": "Mail", "amount": "12.50", "currency": "EUR", "team": "search"}], "next": 2}`.
// Change `reply` in `decides.js` to what your API answers, and `ask` to what it is asked.
import { send } from "apportion:plugin/http@0.2.0";
import { Broken, reply, settings } from "./decides.js";

// The slot of the secret. The operator keeps its value, and the plugin never sees it.
const SLOT = "token";

class Cursor {
  constructor(settings, period) {
    Object.assign(this, { settings, period, page: 1 });
  }

  next() {
    if (this.page === undefined) return undefined;
    const page = this.page;
    const body = this.ask(page);
    try {
      const { rows, rejected, next } = reply(new TextDecoder().decode(body), page);
      this.page = next;
      // JSON as bytes is by far the fastest way out of JavaScript.
      return { rows: { tag: "json", val: new TextEncoder().encode(JSON.stringify(rows)) }, usage: [], rejected };
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw wit("unavailable", `page ${page} of the API is not understood: ${error.message}`);
    }
  }

  ask(page) {
    const { baseUrl, pageSize } = this.settings;
    let url = `${baseUrl}/costs?page=${page}&page_size=${pageSize}`;
    if (this.period) url += `&start=${encodeURIComponent(this.period.start)}&end=${encodeURIComponent(this.period.end)}`;
    const secrets = [{ slot: SLOT, place: { tag: "bearer" } }];
    let response;
    try {
      response = send({ method: "get", url, headers: [], secrets, body: undefined, repeatable: true });
    } catch (error) {
      // A refusal by the host is an error of the contract already, so it is passed on.
      throw error.payload ?? error;
    }
    well(response, url.split("?")[0]);
    return response.body;
  }
}

const wit = (tag, val) => ({ tag, val });

// Throws the error that a status stands for.
function well({ status, headers }, place) {
  if (status >= 200 && status < 300) return;
  if ([401, 403, 407].includes(status)) throw wit("auth", `${place} answered ${status}`);
  if (status === 429) {
    const wait = headers.find((header) => header.name === "retry-after")?.value;
    throw wit("rate-limited", /^\d+$/.test(wait ?? "") ? Number(wait) : undefined);
  }
  if (status >= 500) throw wit("unavailable", `${place} answered ${status}`);
  throw wit("config", { message: `${place} answered ${status}` });
}

export const collect = {
  Cursor,

  describe() {
    return {
      name: "my-plugin",
      version: "0.1.0",
      description: "What the vendor charged",
      kind: "collector",
      powers: [{ power: "http", reason: "to ask the vendor's API", optional: false }],
      configSchema: CONFIG_SCHEMA,
      streams: [{ name: "charges", description: "one charge a row of the bill" }],
      restatementDays: 3,
    };
  },

  check() {
    return [];
  },

  open(config, period) {
    try {
      return new Cursor(settings(config), period);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      throw wit("config", { message: error.message });
    }
  },
};
