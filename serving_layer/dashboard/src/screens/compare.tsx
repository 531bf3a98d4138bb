// Two courses side by side: their figures, their last week against the week before, and both over the days.
import { useAnswer } from "../api/answer.ts";
import type { Parameters } from "../api/client.ts";
import { over } from "../charts/options.ts";
import { daysBefore, today } from "../day.ts";
import { Panel } from "../panels/panel.tsx";
import { Trouble } from "../panels/states.tsx";
import { linkTo, route, setParameters } from "../route.ts";
import { linkToRows } from "./rows.tsx";
import { meaning } from "../text/columns.ts";
import { number, shown, t } from "../text/index.ts";

export const name = "compare";
export const title = () => t("compare");

const SIDES = ["a", "b"] as const;
const MOST = 10_000;
const VIEWS: [string, string[]][] = [
  ["course_overall_metrics", ["total_enrollments", "unique_students_interacting", "total_material_accesses", "total_downloads"]],
  ["video_course_metrics", ["total_students_watching", "total_videos_in_course", "total_course_watch_hours"]],
  ["assessment_course_results", ["median_quiz_correct", "median_assignment_score", "students_with_grades"]],
];

// A value in a list of the API's, with whatever stands in it.
export function listed(values: string[]): string {
  return values.map((value) => `"${value.replaceAll('"', '""')}"`).join(",");
}

export function Screen() {
  const courses = useAnswer("course_overall_metrics", { sort: "-unique_students_interacting", limit: 1000, fields: "course_id" });
  const known = (courses.answer?.rows ?? []).map((row) => String(row.course_id));
  const chosen = SIDES.map((side, place) => route.value.parameters[side] ?? known[place] ?? "");
  if (courses.error && !courses.answer) return <Trouble error={courses.error} />;
  const both = { course_id__in: listed(chosen), limit: MOST };
  return (
    <>
      <form class="thresholds" onSubmit={(event) => event.preventDefault()}>
        {SIDES.map((side, place) => (
          <label key={side}>
            {t(`side_${side}`)}{" "}
            <input list="courses" value={chosen[place]} onChange={(event) => setParameters({ [side]: event.currentTarget.value })} />
          </label>
        ))}
        <datalist id="courses">
          {known.map((course) => <option key={course} value={course}>{course}</option>)}
        </datalist>
      </form>
      {chosen.every(Boolean) && (
        <>
          <section class="panel wide" data-view="compare">
            <h2>{t("figures")}</h2>
            <div class="scroll" tabIndex={0} role="region" aria-label={t("figures")}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("figure")}</th>
                    {chosen.map((course) => <th scope="col" class="figure" key={course}><a href={linkTo("course", course)}>{course}</a></th>)}
                  </tr>
                </thead>
                <tbody>
                  {VIEWS.map(([view, columns]) => <Figures key={view} view={view} columns={columns} courses={chosen} />)}
                  <Weeks courses={chosen} />
                  <Cohorts courses={chosen} />
                </tbody>
              </table>
            </div>
          </section>
          <div class="panels">
            <Panel title={t("watch_by_day")} view="video_daily_engagement" parameters={both}
              chart={(rows) => over(rows, "date", "DATE", "course_id", { total_watch_hours: "" }, "line")} />
            <Panel title={t("submissions_by_day")} view="assessment_submission_distribution" parameters={both}
              chart={(rows) => over(rows, "date", "DATE", "course_id", { submissions_count: "" }, "line")} />
          </div>
        </>
      )}
    </>
  );
}

function Figures({ view, columns, courses }: { view: string; columns: string[]; courses: string[] }) {
  const { answer, info } = useAnswer(view, { course_id__in: listed(courses), limit: courses.length + 1 });
  const rows = new Map((answer?.rows ?? []).map((row) => [String(row.course_id), row]));
  const known = new Map((info?.columns ?? []).map((column) => [column.name, column]));
  return (
    <>
      {columns.map((column) => (
        <tr key={column}>
          <th scope="row">{known.has(column) ? meaning(known.get(column)!) : column}</th>
          {courses.map((course) => <td class="figure" key={course}>{answer ? shown(rows.get(course)?.[column], known.get(column)?.type) : "…"}</td>)}
        </tr>
      ))}
    </>
  );
}

interface Line {
  title: string;
  view: string;
  parameters: Parameters;
}

// Students by how much they did in their last week against the week before it, among those who were there this week.
function Weeks({ courses }: { courses: string[] }) {
  const week = { last_active__gt: daysBefore(today.value, 7) };
  const lines: Line[] = [
    { title: t("active_week"), view: "course_student_activity", parameters: week },
    { title: t("more_than_before"), view: "course_student_activity", parameters: { ...week, share_of_week_before__gt: 100 } },
    { title: t("less_than_before"), view: "course_student_activity", parameters: { ...week, share_of_week_before__lt: 100 } },
  ];
  return <>{lines.map((line) => <Count key={line.title} courses={courses} {...line} />)}</>;
}

// Cohorts by when they enrolled, and who of them is still there.
function Cohorts({ courses }: { courses: string[] }) {
  const month = daysBefore(today.value, 30);
  const recent = { last_active__gt: daysBefore(today.value, 7) };
  const lines: Line[] = [
    { title: t("cohort_new"), view: "course_student_activity", parameters: { enrolled_on__gt: month } },
    { title: t("cohort_new_active"), view: "course_student_activity", parameters: { enrolled_on__gt: month, ...recent } },
    { title: t("cohort_old"), view: "course_student_activity", parameters: { enrolled_on__lte: month } },
    { title: t("cohort_old_active"), view: "course_student_activity", parameters: { enrolled_on__lte: month, ...recent } },
  ];
  return <>{lines.map((line) => <Count key={line.title} courses={courses} {...line} />)}</>;
}

function Count({ title, view, parameters, courses }: Line & { courses: string[] }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      {courses.map((course) => <Cell key={course} view={view} parameters={{ course_id: course, ...parameters }} what={title} />)}
    </tr>
  );
}

function Cell({ view, parameters, what }: { view: string; parameters: Parameters; what: string }) {
  const { answer } = useAnswer(view, { ...parameters, limit: 1 });
  return (
    <td class="figure">
      {answer ? <a href={linkToRows(view, parameters)} aria-label={t("leads_to", { n: answer.total, what })}>{number(answer.total)}</a> : "…"}
    </td>
  );
}
