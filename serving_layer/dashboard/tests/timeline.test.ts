import assert from "node:assert/strict";
import { test } from "node:test";
import { moments } from "../src/panels/timeline.tsx";

test("a moment is told once, and none that never was", () => {
  const row = { course_id: "c", assignment_id: "a", first_view: null, first_submission: "2026-03-01T08:00:00Z", last_submission: "2026-03-01T08:00:00Z" };
  assert.deepEqual(moments([row], { first_view: "did_open", first_submission: "did_submit", last_submission: "did_submit_again" }),
    [{ at: "2026-03-01T08:00:00Z", what: "did_submit", course: "c", of: "a" }]);
});
