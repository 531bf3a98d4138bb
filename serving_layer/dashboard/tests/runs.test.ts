import assert from "node:assert/strict";
import { test } from "node:test";
import { aWeekBefore, type Run } from "../src/api/runs.ts";

const run = (published_at: string): Run => ({ run: published_at, published_at, serves: false, events: 0 });
const runs = ["2026-03-20T02:00:00Z", "2026-03-19T02:00:00Z", "2026-03-13T02:10:00Z", "2026-03-12T02:00:00Z"].map(run);

test("the run that is nearest to a week older", () => {
  assert.equal(aWeekBefore(runs, "2026-03-20T02:00:00Z")?.run, "2026-03-13T02:10:00Z");
  assert.equal(aWeekBefore(runs.slice(0, 2), "2026-03-20T02:00:00Z")?.run, "2026-03-19T02:00:00Z");
});

test("none where all runs are of the same day", () => {
  assert.equal(aWeekBefore(runs.slice(0, 1), "2026-03-20T23:00:00Z"), undefined);
});
