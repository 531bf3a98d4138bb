import type { Row } from "../api/client.ts";
import { seesEverybody } from "../api/me.ts";
import { heat } from "../charts/options.ts";
import { List } from "../panels/list.tsx";
import { Panel } from "../panels/panel.tsx";
import { linkTo } from "../route.ts";
import { t } from "../text/index.ts";
import { palette } from "../theme.ts";

const DAYS = 28;

export const name = "courses";
export const title = () => t("courses");

export function Screen() {
  return (
    <>
      <List
        title={t("courses")}
        view="course_overall_metrics"
        search="course_id"
        sort="-unique_students_interacting"
        links={{ course_id: (row: Row) => linkTo("course", String(row.course_id)) }}
      />
      {seesEverybody() && (
        <div class="panels">
          <Panel
            title={t("logins")}
            about={t("logins_about")}
            view="auth_hourly_login_patterns"
            parameters={{ sort: "-date,hour", limit: DAYS * 24 }}
            chart={(rows) => heat(rows, "date", "DATE", "hour", "login_count", palette.value.heat)}
          />
        </div>
      )}
    </>
  );
}
