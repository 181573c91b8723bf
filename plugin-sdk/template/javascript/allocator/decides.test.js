// `node --test`
import assert from "node:assert/strict";
import { test } from "node:test";
import { Broken, thousandths, weights } from "./decides.js";

test("quantities are whole thousandths", () => {
  assert.deepEqual(["12.5", "7"].map(thousandths), [12500n, 7000n]);
  assert.throws(() => thousandths("-1"), Broken);
});

test("usage of other metrics has no weight", () => {
  const used = [["requests", "a", "2"], ["requests", "b", "1"], ["bytes", "b", "9"]];
  assert.deepEqual(weights('{"metric": "requests"}', ["a", "b"], used), [2000n, 1000n]);
});
