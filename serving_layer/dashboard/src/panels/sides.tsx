// Two sides of a comparison, courses or terms: how many rows of views each has, each number leading to them.
import { useAnswer } from "../api/answer.ts";
import type { Parameters } from "../api/client.ts";
import { daysBefore, today } from "../day.ts";
import { linkToRows } from "../screens/rows.tsx";
import { number, t } from "../text/index.ts";

// What belongs to a side, as conditions; none where nothing does.
export interface Side {
  name: string;
  of: Parameters | undefined;
}

export interface Line {
  title: string;
  view: string;
  parameters: Parameters;
}

// Students by how much they did in their last week against the week before it, among those who were there this week.
export function weeks(): Line[] {
  const week = { last_active__gt: daysBefore(today.value, 7) };
  return [
    { title: t("active_week"), view: "course_student_activity", parameters: week },
    { title: t("more_than_before"), view: "course_student_activity", parameters: { ...week, share_of_week_before__gt: 100 } },
    { title: t("less_than_before"), view: "course_student_activity", parameters: { ...week, share_of_week_before__lt: 100 } },
  ];
}

// Cohorts by when they enrolled, and who of them is still there.
export function cohorts(): Line[] {
  const month = daysBefore(today.value, 30);
  const recent = { last_active__gt: daysBefore(today.value, 7) };
  return [
    { title: t("cohort_new"), view: "course_student_activity", parameters: { enrolled_on__gt: month } },
    { title: t("cohort_new_active"), view: "course_student_activity", parameters: { enrolled_on__gt: month, ...recent } },
    { title: t("cohort_old"), view: "course_student_activity", parameters: { enrolled_on__lte: month } },
    { title: t("cohort_old_active"), view: "course_student_activity", parameters: { enrolled_on__lte: month, ...recent } },
  ];
}

export function Lines({ lines, sides }: { lines: Line[]; sides: Side[] }) {
  return (
    <>
      {lines.map((line) => (
        <tr key={line.title}>
          <th scope="row">{line.title}</th>
          {sides.map(({ name, of }) => of ? <Cell key={name} view={line.view} parameters={{ ...of, ...line.parameters }} what={line.title} /> : <td key={name} class="figure">–</td>)}
        </tr>
      ))}
    </>
  );
}

function Cell({ view, parameters, what }: { view: string; parameters: Parameters; what: string }) {
  const { answer, error } = useAnswer(view, { ...parameters, limit: 1 });
  return (
    <td class="figure">
      {answer ? <a href={linkToRows(view, parameters)} aria-label={t("leads_to", { n: answer.total, what })}>{number(answer.total)}</a> : error ? "–" : "…"}
    </td>
  );
}
