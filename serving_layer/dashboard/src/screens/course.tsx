import type { Row } from "../api/client.ts";
import { over, ranked } from "../charts/options.ts";
import { Figures } from "../panels/figures.tsx";
import { List } from "../panels/list.tsx";
import { Panel } from "../panels/panel.tsx";
import { linkTo } from "../route.ts";
import { t } from "../text/index.ts";

export const name = "course";
export const title = (id: string) => t("course", { id });

const student = { user_id: (row: Row) => linkTo("student", String(row.user_id)) };
const MOST = 10_000;
const SHOWN = 15;

export function Screen({ id }: { id: string }) {
  const course = { course_id: id };
  return (
    <>
      <Figures
        view="course_overall_metrics"
        parameters={course}
        names={{
          total_enrollments: t("enrolled"), unique_students_interacting: t("interacting"),
          total_material_accesses: t("accesses"), total_downloads: t("downloads"),
        }}
      />
      <Figures
        view="video_course_metrics"
        parameters={course}
        names={{ total_students_watching: t("watching"), total_videos_in_course: t("videos"), total_course_watch_hours: t("watch_hours") }}
      />
      <div class="panels">
        <Panel
          title={t("activity_by_day")}
          about={t("activity_by_day_about")}
          view="course_daily_engagement"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) => over(rows, "date", "DATE", "event_type", { unique_users: "" }, "line")}
        />
        <Panel
          title={t("watch_by_day")}
          about={t("watch_by_day_about")}
          view="video_daily_engagement"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) =>
            over(rows, "date", "DATE", undefined, { total_watch_hours: t("watch_hours"), active_video_watchers: t("watching") }, "line")
          }
        />
        <Panel
          title={t("submissions_by_day")}
          about={t("submissions_by_day_about")}
          view="assessment_submission_distribution"
          parameters={{ ...course, limit: MOST }}
          chart={(rows) => over(rows, "date", "DATE", "assignment_type", { submissions_count: "" }, "bar")}
        />
        <Panel
          title={t("videos")}
          about={t("videos_about")}
          view="video_drop_off_indicators"
          parameters={{ ...course, sort: "avg_watch_duration", limit: SHOWN }}
          chart={(rows) => ranked(rows, "video_id", { avg_watch_duration: "s", unique_viewers: t("watching") })}
        />
        <Panel
          title={t("materials")}
          about={t("materials_about")}
          view="course_material_popularity"
          parameters={{ ...course, sort: "total_accesses", limit: SHOWN }}
          chart={(rows) => ranked(rows, "material_id", { total_accesses: t("accesses") })}
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
