import assert from "node:assert/strict";
import { test } from "node:test";
import { bands } from "../src/panels/bands.tsx";

const row = { course_id: "x", students_with_grades: 5, grade_from_10: 2, quiz_from_0: 9, grade_from_0: 0, grade_from_20: 3 };

test("a measure's bands stand in their order, and the last has no end", () => {
  assert.deepEqual(bands(row, "grade"), [
    { band: "0–10", from: 0, below: 10, students: 0 }, { band: "10–20", from: 10, below: 20, students: 2 },
    { band: "≥ 20", from: 20, below: undefined, students: 3 },
  ]);
  assert.deepEqual(bands(undefined, "grade"), []);
});
