// Rules by which a student is somebody to see: one view and one condition each, with an adviser's thresholds.
import type { Answer, Parameters, Row, Value } from "../api/client.ts";
import type { Chosen } from "../api/thresholds.ts";
import { daysBefore } from "../day.ts";
import { shown, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import type { Person } from "./people.tsx";

export interface Rule {
  title: string;
  view: string;
  parameters: Parameters;
  reason: (row: Row) => string;
  // Whether a row is there since the day before.
  fresh?: (row: Row) => boolean;
  // Whether there is nothing to ask for.
  idle?: boolean;
}

// `day` is the one up to which is counted; `due` has assignments whose deadline has passed within the threshold.
export function rules(day: string, chosen: Chosen, due: Row[]): Rule[] {
  const since = daysBefore(day, chosen.quiet);
  const opened = daysBefore(day, chosen.open);
  const joined = daysBefore(day, chosen.materials);
  const deadlines = new Map(due.map((row) => [place(row), String(row.due)]));
  return [
    {
      title: t("rule_quiet", { n: chosen.quiet }),
      view: "course_student_activity",
      parameters: { dropped_on__isnull: "true", last_active__lte: since, sort: "-last_active" },
      reason: (row) => t("reason_quiet", { n: days(row.last_active, day) }),
      fresh: (row) => row.last_active === since,
    },
    {
      title: t("rule_watching", { n: chosen.share }),
      view: "video_student_activity",
      parameters: { share_of_week_before__lt: chosen.share, last_watched__gte: daysBefore(day, 28), sort: "share_of_week_before" },
      reason: (row) => t("reason_watching", { n: Math.round(Number(row.share_of_week_before)) }),
    },
    {
      title: t("rule_late", { n: chosen.late }),
      view: "assessment_student_work",
      parameters: { first_submission__isnull: "true", course_id__in: several(due, "course_id"), assignment_id__in: several(due, "assignment_id"), sort: "assignment_id" },
      reason: (row) => {
        const deadline = deadlines.get(place(row));
        return deadline ? t("reason_late", { what: String(row.assignment_id), day: shown(deadline.slice(0, 10), "DATE") }) : "";
      },
      fresh: (row) => deadlines.get(place(row))?.slice(0, 10) === daysBefore(day, 1),
      idle: !due.length,
    },
    {
      title: t("rule_open", { n: chosen.open }),
      view: "assessment_student_work",
      parameters: { first_submission__isnull: "true", first_view__lt: `${opened}T00:00:00Z`, sort: "-first_view" },
      reason: (row) => t("reason_open", { what: String(row.assignment_id), day: shown(String(row.first_view).slice(0, 10), "DATE") }),
      fresh: (row) => String(row.first_view).slice(0, 10) === daysBefore(opened, 1),
    },
    {
      title: t("rule_materials", { n: chosen.materials }),
      view: "course_student_activity",
      parameters: { dropped_on__isnull: "true", materials_opened: 0, first_active__lte: joined, sort: "-first_active" },
      reason: (row) => t("reason_materials", { n: days(row.first_active, day) }),
      fresh: (row) => row.first_active === joined,
    },
    {
      title: t("rule_grade", { n: chosen.grade }),
      view: "assessment_student_overall_performance",
      parameters: { avg_assignment_score__lt: chosen.grade, sort: "avg_assignment_score" },
      reason: (row) => t("reason_grade", { n: Math.round(Number(row.avg_assignment_score)) }),
    },
  ];
}

// A rule's rows are those with a reason: two courses may call their assignments the same. Of more rows than were asked
// for, the server's count.
export function counted({ reason }: Pick<Rule, "reason">, { rows, next, total }: Pick<Answer, "rows" | "next" | "total">): number {
  return next ? total : rows.filter(reason).length;
}

function several(rows: Row[], column: string): string {
  return listed([...new Set(rows.map((row) => String(row[column])))]);
}

function place(row: Row): string {
  return JSON.stringify([row.course_id, row.assignment_id]);
}

function days(from: Value | undefined, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(String(from))) / 86_400_000);
}

// Who is new since yesterday stands first, then who nothing was done about, then who has most reasons.
export function gathered(found: { rule: Pick<Rule, "reason" | "fresh">; rows: Row[] }[], advised: ReadonlySet<string> = new Set()): Person[] {
  const people = new Map<string, Person>();
  for (const { rule, rows } of found)
    for (const row of rows) {
      const text = rule.reason(row);
      if (!text) continue;
      const user = String(row.user_id);
      const person = people.get(user) ?? { user, courses: new Map(), reasons: 0, fresh: false };
      const fresh = rule.fresh?.(row) ?? false;
      const course = String(row.course_id);
      person.courses.set(course, [...(person.courses.get(course) ?? []), { text, fresh }]);
      person.reasons += 1;
      person.fresh ||= fresh;
      people.set(user, person);
    }
  return [...people.values()].sort((a, b) => Number(b.fresh) - Number(a.fresh) || Number(advised.has(a.user)) - Number(advised.has(b.user)) || b.reasons - a.reasons || (a.user < b.user ? -1 : 1));
}
