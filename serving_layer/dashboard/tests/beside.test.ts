import assert from "node:assert/strict";
import { test } from "node:test";
import { beside } from "../src/panels/beside.tsx";

test("a student's results stand in the row of the same course", () => {
  const own = [{ course_id: "x", avg_assignment_score: 50 }, { course_id: "y", avg_assignment_score: null }];
  const courses = [{ course_id: "y", median_assignment_score: 70 }, { course_id: "x", median_assignment_score: 60 }];
  assert.deepEqual(beside(own, courses).map((row) => [row.course_id, row.avg_assignment_score, row.median_assignment_score]), [["x", 50, 60], ["y", null, 70]]);
  assert.deepEqual(beside(own, []), own);
});
