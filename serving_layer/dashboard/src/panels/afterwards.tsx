// What happened after somebody was written to: whether they were there again, what they handed in since, and what came of it.
import { useAnswer } from "../api/answer.ts";
import type { Advice } from "../api/advice.ts";
import type { Row } from "../api/client.ts";
import { linkTo } from "../route.ts";
import { number, shown, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import { Covers } from "./cover.tsx";
import { Trouble } from "./states.tsx";

const MOST = 10_000;
const SHOWN = 100;

export interface Since {
  student: string;
  contacted: Advice;
  // The last day they were seen after that of the contact.
  seen: string | null;
  submitted: number;
  outcome?: Advice;
}

// The newest contact with each student, and what rows of days and of work say of the time after it. `advice` is the newest first.
export function since(advice: Advice[], days: Row[], work: Row[]): Since[] {
  const contacts = new Map<string, Advice>();
  const outcomes = new Map<string, Advice>();
  for (const one of advice) {
    if (one.kind === "contacted" && !contacts.has(one.student)) contacts.set(one.student, one);
    if (one.kind === "outcome" && !outcomes.has(one.student) && !contacts.has(one.student)) outcomes.set(one.student, one);
  }
  return [...contacts.values()].map((contacted) => {
    const { student, at } = contacted;
    const later = days.filter((row) => row.user_id === student && String(row.last_active) > at.slice(0, 10)).map((row) => String(row.last_active));
    const submitted = work.filter((row) => row.user_id === student && Date.parse(String(row.first_submission)) > Date.parse(at)).length;
    return { student, contacted, seen: later.sort().at(-1) ?? null, submitted, outcome: outcomes.get(student) };
  });
}

export function Afterwards({ advice }: { advice: Advice[] }) {
  const students = [...new Set(advice.filter(({ kind }) => kind === "contacted").map(({ student }) => student))].slice(0, SHOWN);
  const asked = { user_id__in: listed(students), limit: MOST };
  const oldest = advice.filter(({ kind, student }) => kind === "contacted" && students.includes(student)).at(-1);
  const days = useAnswer(students.length ? "course_student_activity" : undefined, { ...asked, fields: "user_id,last_active" });
  const work = useAnswer(students.length ? "assessment_student_work" : undefined,
    { ...asked, first_submission__gt: oldest?.at, fields: "user_id,first_submission" });
  if (!students.length) return null;
  const trouble = days.error ?? work.error;
  const found = since(advice.filter(({ student }) => students.includes(student)), days.answer?.rows ?? [], work.answer?.rows ?? []);
  return (
    <section class="panel wide" data-view="afterwards" aria-busy={days.waiting || work.waiting}>
      <h2>{t("afterwards")}</h2>
      <p class="about">{t("afterwards_about")}</p>
      {trouble && !(days.answer && work.answer) ? <Trouble error={trouble} /> : !days.answer || !work.answer ? <p class="waiting">{t("loading")}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("afterwards")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("student_column")}</th><th scope="col">{t("kind_contacted")}</th><th scope="col">{t("seen_since")}</th>
                <th scope="col" class="figure">{t("submitted_since")}</th><th scope="col">{t("kind_outcome")}</th>
              </tr>
            </thead>
            <tbody>
              {found.map(({ student, contacted, seen, submitted, outcome }) => (
                <tr key={student}>
                  <td><a href={linkTo("student", student)}>{student}</a></td>
                  <td>{shown(contacted.at, "TIMESTAMP")}, {contacted.by}</td>
                  <td>{seen ? shown(seen, "DATE") : t("not_seen_since")}</td>
                  <td class="figure">{number(submitted)}</td>
                  <td>{outcome?.text ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Covers asked={[days, work]} />
    </section>
  );
}
