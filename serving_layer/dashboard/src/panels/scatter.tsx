// Each student of a course as a point: how much they did, and their mean grade, with the quartiles of grades as lines.
import { useMemo } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Row } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { scatter } from "../charts/options.ts";
import { linkTo } from "../route.ts";
import { number, t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { Frame, Scroll } from "./frame.tsx";
import { stateOf } from "./states.tsx";

const MOST = 10_000;
const QUARTILES = ["lower_quartile_score", "median_assignment_score", "upper_quartile_score"];

export function Scatter({ course }: { course: string }) {
  const of = { course_id: course };
  const graded = useAnswer("assessment_student_overall_performance",
    { ...of, avg_assignment_score__isnull: "false", fields: "user_id,avg_assignment_score", limit: MOST });
  const active = useAnswer("course_student_activity", { ...of, fields: "user_id,total_events", limit: MOST });
  const results = useAnswer("assessment_course_results", { ...of, limit: 1 });
  const state = stateOf(graded) ?? stateOf(active);
  const option = useMemo(() => {
    const points = joined(graded.answer?.rows ?? [], active.answer?.rows ?? []);
    const row = results.answer?.rows[0];
    const lines = QUARTILES.map((column) => ({ name: t(column as "lower_quartile_score"), at: Number(row?.[column]) }));
    return scatter(points, { x: t("events_of_student"), y: t("median_grade_axis"), points: t("students") }, row ? lines : []);
  }, [graded.answer, active.answer, results.answer, t("students")]);
  const about = t("grades_by_activity_about");
  const rows = joined(graded.answer?.rows ?? [], active.answer?.rows ?? []);
  return (
    <Frame
      title={t("grades_by_activity")} about={about} name="grades_by_activity" busy={graded.waiting || active.waiting} state={state}
      chart={() => <Chart label={`${t("grades_by_activity")}. ${about}`} option={option} onPick={(student) => (location.hash = linkTo("student", student))} />}
      table={() => (
        <Scroll label={t("grades_by_activity")}>
          <thead>
            <tr>
              <th scope="col">{t("student_column")}</th><th scope="col" class="figure">{t("events_of_student")}</th>
              <th scope="col" class="figure">{t("median_grade_axis")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, value: [events, grade] }) => (
              <tr key={name}>
                <td><a href={linkTo("student", name)}>{name}</a></td><td class="figure">{number(events)}</td><td class="figure">{number(grade)}</td>
              </tr>
            ))}
          </tbody>
        </Scroll>
      )}
    >
      <Covers asked={[graded, active]} />
    </Frame>
  );
}

// A student's grade beside what the student did; who has only one of both is no point.
export function joined(graded: Row[], active: Row[]): { name: string; value: [number, number] }[] {
  const events = new Map(active.map((row) => [row.user_id, Number(row.total_events)]));
  return graded.flatMap((row) => {
    const done = events.get(row.user_id!);
    return done === undefined ? [] : [{ name: String(row.user_id), value: [done, Number(row.avg_assignment_score)] as [number, number] }];
  });
}
