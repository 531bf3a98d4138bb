import type { Row } from "../api/client.ts";
import { heat, over, ranked, stacked, twice } from "../charts/options.ts";
import { useWeekAgo } from "../api/runs.ts";
import { daysBefore, onDay, today } from "../day.ts";
import { Bands } from "../panels/bands.tsx";
import { Figures } from "../panels/figures.tsx";
import { List } from "../panels/list.tsx";
import { Panel } from "../panels/panel.tsx";
import { Scatter } from "../panels/scatter.tsx";
import { Totals } from "../panels/totals.tsx";
import { linkTo } from "../route.ts";
import { linkToRows } from "./rows.tsx";
import { linkToUnseen } from "./unseen.tsx";
import { t } from "../text/index.ts";
import { palette } from "../theme.ts";

export const name = "course";
export const title = (id: string) => t("course", { id });

const student = { user_id: (row: Row) => linkTo("student", String(row.user_id)) };
const MOST = 10_000;
const SHOWN = 15;
const DAYS = 28;

export function Screen({ id }: { id: string }) {
  const course = { course_id: id };
  const submittedOn = (day: string) => linkToRows("assessment_student_work", { ...course, ...onDay("first_submission", day) });
  const here = { ...course, dropped_on__isnull: "true" };
  const week = daysBefore(today.value, 7);
  const ago = useWeekAgo();
  const work = (row: Row) => ({ ...course, assignment_id: String(row.assignment_id) });
  return (
    <>
      <div class="board">
        <Totals
          items={[
            { title: t("students_here"), view: "course_student_activity", parameters: here },
            { title: t("active_week"), view: "course_student_activity", parameters: { ...here, last_active__gt: week } },
            { title: t("quiet_week"), view: "course_student_activity", parameters: { ...here, last_active__lte: week } },
            { title: t("newly_quiet"), view: "course_student_activity", parameters: { ...here, last_active__lte: week, last_active__gt: daysBefore(week, 7) } },
          ]}
        />
        <Figures
          view="assessment_course_results" parameters={course} since={ago}
          names={{ median_quiz_correct: t("median_quiz"), median_assignment_score: t("median_grade") }}
        />
      </div>
      <div class="board small">
        <Figures
          view="course_weeks" parameters={course} before={{ students_last_week: "students_week_before", enrolled_last_week: "enrolled_week_before" }}
          names={{ students_last_week: t("students_last_week"), enrolled_last_week: t("enrolled_last_week") }}
        />
        <Totals
          items={[
            { title: t("more_than_before"), view: "course_student_activity", parameters: { ...here, last_active__gt: week, share_of_week_before__gt: 100 } },
            { title: t("less_than_before"), view: "course_student_activity", parameters: { ...here, last_active__gt: week, share_of_week_before__lt: 100 } },
          ]}
        />
        <Figures
          view="course_overall_metrics" parameters={course} since={ago}
          names={{
            total_enrollments: t("enrolled"), unique_students_interacting: t("interacting"),
            total_material_accesses: t("accesses"), total_downloads: t("downloads"),
          }}
        />
        <Figures
          view="video_course_metrics" parameters={course} since={ago}
          names={{ total_students_watching: t("watching"), total_videos_in_course: t("videos"), total_course_watch_hours: t("watch_hours") }}
        />
        <Figures view="assessment_course_results" parameters={course} since={ago} names={{ students_with_grades: t("graded_students") }} />
      </div>
      <div class="panels">
        <Panel
          title={t("activity_by_day")}
          about={t("activity_by_day_about")}
          view="course_daily_engagement"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) => over(rows, "date", "DATE", "event_type", { unique_users: "" }, "line", t("students"))}
          links={{ unique_users: (row) => linkToRows("course_student_days", { ...course, date: String(row.date), event_type: String(row.event_type) }) }}
          onPick={(day) => (location.hash = linkToRows("course_student_days", { ...course, date: day }))}
        />
        <Panel
          title={t("hours")}
          about={t("hours_about")}
          view="course_hourly_engagement"
          parameters={{ ...course, date__gt: daysBefore(today.value, DAYS), sort: "date,hour", limit: DAYS * 24 }}
          chart={(rows) => heat(rows, "date", "DATE", "hour", "event_count", palette.value.heat)}
          links={{ event_count: (row) => linkToRows("course_student_days", { ...course, date: String(row.date) }) }}
          onPick={(day) => (location.hash = linkToRows("course_student_days", { ...course, date: day }))}
        />
        <Panel
          title={t("deadlines")}
          about={t("deadlines_about")}
          view="assessment_deadlines"
          parameters={{ ...course, sort: "-due", limit: SHOWN }}
          columns={["assignment_id", "due", "students_at_work", "submitted_on_time", "submitted_late", "submitted", "not_submitted"]}
          tall
          chart={(rows) => stacked(rows, "assignment_id",
            { submitted_on_time: t("on_time"), submitted_late: t("late"), not_submitted: t("not_submitted") }, t("students"))}
          links={{
            assignment_id: (row) => linkToUnseen(id, "assignment_id", String(row.assignment_id)),
            submitted: (row) => linkToRows("assessment_student_work", { ...work(row), first_submission__isnull: "false" }),
            submitted_late: (row) => linkToRows("assessment_student_work", { ...work(row), first_submission__gt: String(row.due ?? "") || undefined }),
            not_submitted: (row) => linkToRows("assessment_student_work", { ...work(row), first_submission__isnull: "true" }),
          }}
          onPick={(assignment) => (location.hash = linkToRows("assessment_student_work", { ...course, assignment_id: assignment }))}
        />
        <Bands title={t("grades")} about={t("grades_about")} course={id} of="grade" mean="avg_assignment_score" unit={t("points")} />
        <Bands title={t("quizzes")} about={t("quizzes_about")} course={id} of="quiz" mean="avg_quiz_correct" unit={t("right_answers")} />
        <Scatter course={id} />
        <Panel
          title={t("watch_by_day")}
          about={t("watch_by_day_about")}
          view="video_daily_engagement"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) => twice(rows, "date", "DATE", ["total_watch_hours", t("watch_hours")], ["active_video_watchers", t("watching")])}
          links={{ active_video_watchers: (row) => linkToRows("video_student_days", { ...course, date: String(row.date) }) }}
          onPick={(day) => (location.hash = linkToRows("video_student_days", { ...course, date: day }))}
        />
        <Panel
          title={t("submissions_by_day")}
          about={t("submissions_by_day_about")}
          view="assessment_submission_distribution"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) => over(rows, "date", "DATE", "assignment_type", { submissions_count: "" }, "bar", t("submissions"))}
          links={{ unique_students: (row) => submittedOn(String(row.date)) }}
          onPick={(day) => (location.hash = submittedOn(day))}
        />
        <Panel
          title={t("videos")}
          about={t("videos_about")}
          view="video_drop_off_indicators"
          parameters={{ ...course, sort: "avg_watch_duration", limit: SHOWN }}
          tall
          chart={(rows) => ranked(rows, "video_id", { avg_watch_duration: t("seconds_a_view") }, t("seconds_a_view"))}
          links={{ video_id: (row) => linkToUnseen(id, "video_id", String(row.video_id)) }}
          onPick={(video) => (location.hash = linkToUnseen(id, "video_id", video))}
        />
        <Panel
          title={t("replays")}
          about={t("replays_about")}
          view="video_popularity"
          parameters={{ ...course, sort: "-total_view_events", limit: SHOWN }}
          tall
          chart={(rows) => ranked(rows, "video_id", { unique_viewers: t("watching"), total_view_events: t("views_of_video") })}
          links={{ video_id: (row) => linkToUnseen(id, "video_id", String(row.video_id)) }}
          onPick={(video) => (location.hash = linkToRows("video_total_watch_time", { ...course, video_id: video }))}
        />
        <Panel
          title={t("materials")}
          about={t("materials_about")}
          view="course_material_popularity"
          parameters={{ ...course, sort: "total_accesses", limit: SHOWN }}
          tall
          chart={(rows) => ranked(rows, "material_id", { total_accesses: t("accesses") }, t("accesses"))}
          links={{
            material_id: (row) => linkToUnseen(id, "material_id", String(row.material_id)),
            total_accesses: (row) => linkToRows("course_student_materials", { ...course, material_id: String(row.material_id) }),
          }}
          onPick={(material) => (location.hash = linkToRows("course_student_materials", { ...course, material_id: material }))}
        />
        <Panel
          title={t("downloads")}
          about={t("downloads_about")}
          view="course_resource_download_stats"
          parameters={{ ...course, sort: "-total_download_count", limit: SHOWN }}
          tall
          chart={(rows) => ranked(rows, "resource_id", { total_download_count: t("downloads") }, t("downloads"))}
          links={{ total_download_count: (row) => linkToRows("course_student_downloads", { ...course, resource_id: String(row.resource_id) }) }}
          onPick={(resource) => (location.hash = linkToRows("course_student_downloads", { ...course, resource_id: resource }))}
        />
      </div>
      <List
        title={t("results")} about={t("results_about")} view="assessment_student_overall_performance" parameters={course}
        search="user_id" sort="avg_assignment_score" links={student}
      />
      <List
        title={t("engagement")} about={t("engagement_about")} view="video_student_course_summary" parameters={course}
        search="user_id" sort="total_watch_seconds" links={student}
      />
      <List title={t("submitting")} view="assessment_student_submissions" parameters={course} search="user_id" sort="last_submission" links={student} />
    </>
  );
}
