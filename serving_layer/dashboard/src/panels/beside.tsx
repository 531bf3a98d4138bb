// A student's results beside those of each course: the mean grade and mean right answers, and the course's medians and quartiles.
import { useMemo } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Row } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { ranked } from "../charts/options.ts";
import { linkTo } from "../route.ts";
import { language, shown, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import { Covers } from "./cover.tsx";
import { Frame, Scroll } from "./frame.tsx";
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
  const rows = beside(own.answer?.rows ?? [], all.answer?.rows ?? []);
  const option = useMemo(
    () => ranked(rows, "course_id", { avg_assignment_score: t("own_grade"), median_assignment_score: t("median_grade") }, t("points")),
    [own.answer, all.answer, language.value],
  );
  const state = stateOf(own) ?? stateOf(all);
  return (
    <Frame
      title={t("beside")} about={t("beside_about")} name="beside" busy={own.waiting || (courses.length > 0 && all.waiting)} state={state}
      chart={() => (
        <Chart label={`${t("beside")}. ${t("beside_about")}`} rows={rows.length} option={option} />
      )}
      table={() => (
        <Scroll label={t("beside")}>
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
        </Scroll>
      )}
    >
      <Covers asked={[own, all]} />
    </Frame>
  );
}
