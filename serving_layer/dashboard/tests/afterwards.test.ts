import assert from "node:assert/strict";
import { test } from "node:test";
import type { Advice, Kind } from "../src/api/advice.ts";
import { since } from "../src/panels/afterwards.tsx";

const event = (student: string, kind: Kind, at: string): Advice => ({ id: `${student} ${at}`, at, student, by: "AD001", kind, text: at });

test("only what came after the newest contact counts", () => {
  const advice = [
    event("a", "outcome", "2026-03-05T08:00:00Z"), event("a", "contacted", "2026-03-03T08:00:00Z"), event("b", "contacted", "2026-03-03T08:00:00Z"),
    event("a", "outcome", "2026-03-02T08:00:00Z"), event("a", "contacted", "2026-03-01T08:00:00Z"), event("c", "note", "2026-03-01T08:00:00Z"),
  ];
  const days = [{ user_id: "a", last_active: "2026-03-04" }, { user_id: "a", last_active: "2026-03-06" }, { user_id: "b", last_active: "2026-03-03" }];
  const work = [
    { user_id: "a", first_submission: "2026-03-03T07:59:59Z" }, { user_id: "a", first_submission: "2026-03-03T08:00:01Z" },
    { user_id: "b", first_submission: null },
  ];
  const [a, b, ...others] = since(advice, days, work);
  assert.deepEqual(others, []);
  assert.deepEqual([a!.student, a!.contacted.at, a!.seen, a!.submitted, a!.outcome?.at],
    ["a", "2026-03-03T08:00:00Z", "2026-03-06", 1, "2026-03-05T08:00:00Z"]);
  assert.deepEqual([b!.student, b!.seen, b!.submitted, b!.outcome], ["b", null, 0, undefined]);
});
