import type { Row } from "../api/client.ts";
import { List } from "../panels/list.tsx";
import { linkTo } from "../route.ts";
import { t } from "../text/index.ts";

export const name = "students";
export const title = () => t("students");

export function Screen() {
  return (
    <List
      title={t("students")} view="auth_user_activity_summary" parameters={{ role: "student" }} search="user_id" sort="last_activity"
      columns={["user_id", "total_logins", "total_logouts", "unique_sessions", "first_activity", "last_activity"]}
      links={{ user_id: (row: Row) => linkTo("student", String(row.user_id)) }}
    />
  );
}
