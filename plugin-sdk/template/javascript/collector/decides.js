// The decisions: settings and replies become rows. This file does not know the contract, so plain Node can test it.

const PAGE_SIZE = 100;

// An error for input that is not understood.
export class Broken extends Error {}

export function settings(config) {
  const { base_url: baseUrl, page_size: pageSize = PAGE_SIZE } = parsed(config, "the settings are not JSON");
  if (typeof baseUrl !== "string" || baseUrl === "") throw new Broken("`base_url` is missing");
  if (!Number.isInteger(pageSize) || pageSize < 1) throw new Broken("`page_size` is no number from 1 on");
  return { baseUrl: baseUrl.replace(/\/+$/, ""), pageSize };
}

function parsed(text, what) {
  try {
    return JSON.parse(text) ?? {};
  } catch (error) {
    throw new Broken(`${what}: ${error.message}`);
  }
}

// The rows of one page, its rejected rows, and the number of the next page.
export function reply(body, page) {
  const value = parsed(body, "it is not JSON");
  if (!Array.isArray(value.rows)) throw new Broken("it has no list `rows`");
  const rows = [];
  const rejected = [];
  value.rows.forEach((row, at) => {
    const reason = missingOf(row);
    if (reason === undefined) rows.push(charge(row));
    else rejected.push({ location: `page ${page}, row ${at + 1}`, reason, excerpt: JSON.stringify(row).slice(0, 200) });
  });
  return { rows, rejected, next: nextPage(value.next, page) };
}

// The reason why a row cannot be a charge. Rows are never dropped or guessed. An amount has to be text, because JavaScript rounds numbers.
function missingOf(row) {
  if (typeof row !== "object" || row === null) return "it is not an object";
  const missing = ["amount", "day", "currency", "service"].find((name) => typeof row[name] !== "string" || row[name] === "");
  return missing && `\`${missing}\` is missing or not text`;
}

function charge(row) {
  return {
    charge_period_start: `${row.day}T00:00:00Z`,
    billed_cost: row.amount,
    effective_cost: row.amount,
    billing_currency: row.currency,
    service_name: row.service,
    charge_category: "Usage",
    tags: typeof row.team === "string" ? { team: row.team } : {},
  };
}

function nextPage(next, page) {
  if (next === undefined || next === null) return undefined;
  // Pages are numbered. A next page that is not a later one would never end.
  if (!Number.isInteger(next) || next <= page) throw new Broken("`next` is not a later page");
  return next;
}
