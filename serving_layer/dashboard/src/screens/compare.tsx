// Two courses, or two terms, side by side: their figures, their last week against the week before, cohorts, and courses over the days.
import { useAnswer } from "../api/answer.ts";
import { over } from "../charts/options.ts";
import { onDay } from "../day.ts";
import { Panel } from "../panels/panel.tsx";
import { cohorts, Lines, weeks } from "../panels/sides.tsx";
import { Trouble } from "../panels/states.tsx";
import { Terms } from "../panels/terms.tsx";
import { linkTo, route, setParameters } from "../route.ts";
import { meaning } from "../text/columns.ts";
import { shown, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import { linkToRows } from "./rows.tsx";

export const name = "compare";
export const title = () => t("compare");

const SIDES = ["a", "b"] as const;
const MOST = 10_000;
const VIEWS: [string, string[]][] = [
  ["course_overall_metrics", ["total_enrollments", "unique_students_interacting", "total_material_accesses", "total_downloads"]],
  ["video_course_metrics", ["total_students_watching", "total_videos_in_course", "total_course_watch_hours"]],
  ["assessment_course_results", ["median_quiz_correct", "median_assignment_score", "students_with_grades"]],
];

const WAYS = ["courses", "terms"] as const;

export function Screen() {
  const by = route.value.parameters.by === "terms" ? "terms" : "courses";
  return (
    <>
      <p class="tools ways" role="group" aria-label={t("compare")}>
        {WAYS.map((way) => (
          <button type="button" key={way} aria-pressed={way === by} onClick={() => setParameters({ by: way === "courses" ? undefined : way })}>
            {t(way)}
          </button>
        ))}
      </p>
      {by === "terms" ? <Terms /> : <Courses />}
    </>
  );
}

function Courses() {
  const courses = useAnswer("course_overall_metrics", { sort: "-unique_students_interacting", limit: 1000, fields: "course_id" });
  const known = (courses.answer?.rows ?? []).map((row) => String(row.course_id));
  const chosen = SIDES.map((side, place) => route.value.parameters[side] ?? known[place] ?? "");
  if (courses.error && !courses.answer) return <Trouble error={courses.error} />;
  const both = { course_id__in: listed(chosen), limit: MOST };
  return (
    <>
      <form class="thresholds" aria-busy={courses.waiting} onSubmit={(event) => event.preventDefault()}>
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
                  <Lines lines={[...weeks(), ...cohorts()]} sides={chosen.map((course) => ({ name: course, of: { course_id: course } }))} />
                </tbody>
              </table>
            </div>
          </section>
          <div class="panels">
            <Panel title={t("watch_by_day")} view="video_daily_engagement" parameters={both}
              chart={(rows) => over(rows, "date", "DATE", "course_id", { total_watch_hours: "" }, "line", t("watch_hours"))}
              onPick={(day) => (location.hash = linkToRows("video_student_days", { ...both, date: day }))} />
            <Panel title={t("submissions_by_day")} view="assessment_submission_distribution" parameters={both}
              chart={(rows) => over(rows, "date", "DATE", "course_id", { submissions_count: "" }, "line", t("submissions"))}
              onPick={(day) => (location.hash = linkToRows("assessment_student_work", { ...both, ...onDay("first_submission", day) }))} />
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
          <th scope="row" class="said">{known.has(column) ? meaning(known.get(column)!) : column}</th>
          {courses.map((course) => <td class="figure" key={course}>{answer ? shown(rows.get(course)?.[column], known.get(column)?.type) : "…"}</td>)}
        </tr>
      ))}
    </>
  );
}
