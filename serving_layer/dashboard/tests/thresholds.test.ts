import assert from "node:assert/strict";
import { test } from "node:test";
import { type Chosen, within } from "../src/api/thresholds.ts";

const KEPT: Chosen = { quiet: 7, share: 50, open: 14, late: 7, materials: 14, grade: 50 };

test("an address says other thresholds, and nothing else", () => {
  assert.deepEqual(within(KEPT, {}), KEPT);
  assert.deepEqual(within(KEPT, { quiet: "3", grade: "0", run: "r1" }), { ...KEPT, quiet: 3, grade: 0 });
  for (const wrong of ["", "-1", "x", "1e3", "1001", "99999", "2.5"]) assert.deepEqual(within(KEPT, { quiet: wrong }), KEPT);
});
