import assert from "node:assert/strict";
import { test } from "node:test";
import { type Covers, stateOf, take } from "../src/api/live.ts";
import type { ViewInfo } from "../src/api/client.ts";

const view = (name: string, topic: string): [string, ViewInfo] => [name, { name, topic, key: [], columns: [] }];
const KNOWN = new Map([view("a", "x"), view("b", "x"), view("c", "y")]);
const covers = (x: number, y: number, run = "r1"): Covers => ({
  run, published_at: null, head: { x: { "0": x }, y: { "0": y } }, watermark: null, lag_seconds: 0, speed_layer: null,
});
const states = () => ["a", "b", "c"].map(stateOf);
const moved = (step: () => void) => {
  const before = states();
  step();
  return states().map((state, place) => state !== before[place]);
};

test("only what changed is asked again", () => {
  take(covers(1, 1), KNOWN);
  assert.deepEqual(moved(() => take(covers(1, 1), KNOWN)), [false, false, false]);
  assert.deepEqual(moved(() => take(covers(2, 1), KNOWN)), [true, true, false]);
  assert.deepEqual(moved(() => take(covers(3, 1), KNOWN, ["b"])), [false, true, false]);
  assert.deepEqual(moved(() => take(covers(3, 2), KNOWN, null)), [false, false, true]);
  assert.deepEqual(moved(() => take(covers(3, 2, "r2"), KNOWN, null)), [true, true, true]);
  assert.equal(stateOf(undefined), "");
});
