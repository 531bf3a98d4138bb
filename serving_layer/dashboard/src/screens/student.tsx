import { advises } from "../api/advice.ts";
import type { Row } from "../api/client.ts";
import { seesBeyondCourses, seesCourses } from "../api/me.ts";
import { ranked } from "../charts/options.ts";
import { AdvicePanel } from "../panels/advice.tsx";
import { Beside } from "../panels/beside.tsx";
import { Figures } from "../panels/figures.tsx";
import { Panel } from "../panels/panel.tsx";
import { Timeline } from "../panels/timeline.tsx";
import { linkTo } from "../route.ts";
import { t } from "../text/index.ts";

export const name = "student";
export const title = (id: string) => t("student", { id });

const course = { course_id: (row: Row) => linkTo("course", String(row.course_id)) };

export function Screen({ id }: { id: string }) {
  const user = { user_id: id };
  const whole = seesBeyondCourses();
  const mine = { ...user, limit: 500 };
  return (
    <>
      {whole && (
        <div class="board">
          <Figures
            view="auth_user_activity_summary"
            parameters={{ ...user, sort: "-total_logins" }}
            names={{ total_logins: t("visits"), first_activity: t("first_seen"), last_activity: t("last_seen") }}
          />
          <Figures view="course_activity_summary" parameters={user} names={{ total_material_accesses: t("accesses"), total_downloads: t("downloads") }} />
        </div>
      )}
      <div class="panels">
        <Panel
          title={t("last_week")}
          about={t("last_week_about")}
          view="course_student_activity"
          parameters={mine}
          links={course}
          chart={(rows) => ranked(rows, "course_id", { events_last_week: t("last_week"), events_week_before: t("week_before") }, t("events"))}
          tall
        />
        <Panel
          title={t("watching_week")}
          about={t("last_week_about")}
          view="video_student_activity"
          parameters={mine}
          links={course}
          chart={(rows) => ranked(rows, "course_id", { seconds_last_week: t("last_week"), seconds_week_before: t("week_before") }, t("seconds"))}
          tall
        />
        <Timeline student={id} />
        {seesCourses() && <Beside student={id} />}
        <Panel title={t("work")} view="assessment_student_work" parameters={{ ...mine, sort: "-first_view" }} links={course} />
        <Panel
          title={t("courses_of_student")}
          view="video_student_course_summary"
          parameters={mine}
          links={course}
          chart={(rows) => ranked(rows, "course_id", { video_coverage_percentage: t("coverage") }, "%")}
          tall
        />
        <Panel title={t("submissions")} view="assessment_student_submissions" parameters={mine} links={course} />
        <Panel title={t("quizzes")} view="assessment_quiz_performance" parameters={mine} links={course} />
        <Panel title={t("grades")} view="assessment_grading_stats" parameters={{ student_id: id, limit: 500 }} links={course} />
        <Panel title={t("materials")} view="course_material_access" parameters={mine} links={course} />
        {whole && <Panel title={t("sessions")} view="auth_user_session_metrics" parameters={mine} />}
        {whole && <Panel title={t("notifications")} view="notification_user_preferences" parameters={mine} />}
        {advises() && <AdvicePanel student={id} />}
      </div>
    </>
  );
}
