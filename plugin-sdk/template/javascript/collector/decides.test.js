// `node --test`
import assert from "node:assert/strict";
import { test } from "node:test";
import { Broken, reply } from "./decides.js";

const PAGE = `{"rows": [{"day": "2026-03-01", "service": "Mail", "amount": "0.10", "currency": "EUR", "team": "search"},
  {"day": "2026-03-02", "amount": 0.1}], "next": 2}`;

test("rows become charges and keep their digits", () => {
  const { rows, next } = reply(PAGE, 1);
  assert.deepEqual([rows.length, rows[0].billed_cost, next], [1, "0.10", 2]);
});

test("rows that are not understood are set aside", () => {
  const { rejected } = reply(PAGE, 1);
  assert.deepEqual(rejected.map(({ location, reason }) => [location, reason]), [["page 1, row 2", "`amount` is missing or not text"]]);
});

test("pages that go round in a circle are refused", () => {
  assert.throws(() => reply(`{"rows": [], "next": 1}`, 1), Broken);
});
