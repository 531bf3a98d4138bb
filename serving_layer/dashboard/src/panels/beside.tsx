// A student's results beside those of each course: the mean grade and mean right answers, and the course's medians and quartiles.
import { useState } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Row } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { ranked } from "../charts/options.ts";
import { linkTo } from "../route.ts";
import { shown, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import { Covers } from "./cover.tsx";
import { stateOf } from "./states.tsx";

const MOST = 500;
const COLUMNS = ["avg_assignment_score", "median_assignment_score", "lower_quartile_score", "upper_quartile_score", "avg_quiz_correct", "median_quiz_correct"] as const;
const NAMES = {
  avg_assignment_score: "own_grade", median_assignment_score: "median_grade", lower_quartile_score: "lower_quartile_score",
  upper_quartile_score: "upper_quartile_score", avg_quiz_correct: "own_quiz", median_quiz_correct: "median_quiz",
} as const;

// Each of the student's courses with the results of the whole course in the same row.
export function beside(own: Row[], courses: Row[]): Row[] {
  const results = new Map(courses.map((row) => [row.course_id, row]));
  return own.map((row) => ({ ...results.get(row.course_id!), ...row }));
}

export function Beside({ student }: { student: string }) {
  const own = useAnswer("assessment_student_overall_performance", { user_id: student, sort: "course_id", limit: MOST });
  const courses = (own.answer?.rows ?? []).map((row) => String(row.course_id));
  const all = useAnswer(courses.length ? "assessment_course_results" : undefined, { course_id__in: listed(courses), limit: MOST });
  const [table, setTable] = useState(false);
  const state = stateOf(own) ?? stateOf(all);
  const rows = beside(own.answer?.rows ?? [], all.answer?.rows ?? []);
  return (
    <section class="panel" data-view="beside" aria-busy={own.waiting || (courses.length > 0 && all.waiting)}>
      <header>
        <h2>{t("beside")}</h2>
        {!state && (
          <p class="tools">
            <button type="button" aria-pressed={table} onClick={() => setTable(!table)}>{table ? t("as_chart") : t("as_table")}</button>
          </p>
        )}
      </header>
      <p class="about">{t("beside_about")}</p>
      {state ?? (table ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("beside")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("courses")}</th>
                {COLUMNS.map((column) => <th scope="col" class="figure" key={column}>{t(NAMES[column])}</th>)}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={String(row.course_id)}>
                  <td><a href={linkTo("course", String(row.course_id))}>{row.course_id}</a></td>
                  {COLUMNS.map((column) => <td class="figure" key={column}>{shown(row[column], "DOUBLE")}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Chart label={`${t("beside")}. ${t("beside_about")}`}
          option={ranked(rows, "course_id", { avg_assignment_score: t("own_grade"), median_assignment_score: t("median_grade") })} />
      ))}
      <Covers asked={own} />
      <Covers asked={all} />
    </section>
  );
}
