import assert from "node:assert/strict";
import { test } from "node:test";
import { counted, gathered, rules } from "../src/panels/rules.ts";

const CHOSEN = { quiet: 7, share: 50, open: 14, late: 7, materials: 14, grade: 50 };

test("an assignment that another course has by the same name is not missed there", () => {
  const due = [{ course_id: "A", assignment_id: "one", due: "2026-03-01T10:00:00Z" }, { course_id: "B", assignment_id: "two", due: "2026-03-02T10:00:00Z" }];
  const late = rules("2026-03-03", CHOSEN, due).find(({ view, parameters }) => view === "assessment_student_work" && parameters.course_id__in)!;
  assert.deepEqual([late.parameters.course_id__in, late.parameters.assignment_id__in], ['"A","B"', '"one","two"']);
  const rows = [
    { user_id: "x", course_id: "A", assignment_id: "one" },
    { user_id: "x", course_id: "B", assignment_id: "one" },
    { user_id: "y", course_id: "B", assignment_id: "two" },
  ];
  assert.equal(counted(late, { rows, next: null, total: 3 }), 2);
  assert.equal(counted(late, { rows, next: "more", total: 3000 }), 3000);
  assert.deepEqual(gathered([{ rule: late, rows }]).map(({ user, reasons }) => [user, reasons]), [["y", 1], ["x", 1]]);
});
