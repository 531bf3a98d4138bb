// Who may need a word, and why: rules over the views, with thresholds that stand in the address and are kept by the browser.
import { type Advice, advises, useAdvice } from "../api/advice.ts";
import { useAnswer } from "../api/answer.ts";
import type { Parameters, Row, Value } from "../api/client.ts";
import { daysBefore, today } from "../day.ts";
import { Afterwards } from "../panels/afterwards.tsx";
import { Covers } from "../panels/cover.tsx";
import { People, type Person } from "../panels/people.tsx";
import { Trouble } from "../panels/states.tsx";
import { route, setParameters } from "../route.ts";
import { linkToRows } from "./rows.tsx";
import { number, shown, t } from "../text/index.ts";

export const name = "adviser";
export const title = () => t("adviser");

const THRESHOLDS = { quiet: 7, share: 50, open: 14, grade: 50 };
type Threshold = keyof typeof THRESHOLDS;
const KEPT = "thresholds";
const MOST = 1000;
const SHOWN = 200;

function threshold(which: Threshold): number {
  const told = route.value.parameters[which] ?? stored()[which];
  return told !== undefined && Number.isFinite(Number(told)) && Number(told) >= 0 ? Number(told) : THRESHOLDS[which];
}

function stored(): Partial<Record<Threshold, number>> {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Record<Threshold, number>>;
  } catch {
    return {};
  }
}

function choose(which: Threshold, value: string): void {
  if (value === "" || Number(value) < 0) return;
  localStorage.setItem(KEPT, JSON.stringify({ ...stored(), [which]: Number(value) }));
  setParameters({ [which]: value });
}

interface Rule {
  title: string;
  view: string;
  parameters: Parameters;
  reason: (row: Row) => string;
  // Whether a row is there since the day before.
  fresh?: (row: Row) => boolean;
}

function rules(): Rule[] {
  const day = today.value;
  const since = daysBefore(day, threshold("quiet"));
  const opened = daysBefore(day, threshold("open"));
  return [
    {
      title: t("rule_quiet", { n: threshold("quiet") }),
      view: "course_student_activity",
      parameters: { dropped_on__isnull: "true", last_active__lte: since, sort: "-last_active" },
      reason: (row) => t("reason_quiet", { n: days(row.last_active, day) }),
      fresh: (row) => row.last_active === since,
    },
    {
      title: t("rule_watching", { n: threshold("share") }),
      view: "video_student_activity",
      parameters: { share_of_week_before__lt: threshold("share"), last_watched__gte: daysBefore(day, 28), sort: "share_of_week_before" },
      reason: (row) => t("reason_watching", { n: Math.round(Number(row.share_of_week_before)) }),
    },
    {
      title: t("rule_open", { n: threshold("open") }),
      view: "assessment_student_work",
      parameters: { first_submission__isnull: "true", first_view__lt: `${opened}T00:00:00Z`, sort: "-first_view" },
      reason: (row) => t("reason_open", { what: String(row.assignment_id), day: shown(String(row.first_view).slice(0, 10), "DATE") }),
      fresh: (row) => String(row.first_view).slice(0, 10) === daysBefore(opened, 1),
    },
    {
      title: t("rule_grade", { n: threshold("grade") }),
      view: "assessment_student_overall_performance",
      parameters: { avg_assignment_score__lt: threshold("grade"), sort: "avg_assignment_score" },
      reason: (row) => t("reason_grade", { n: Math.round(Number(row.avg_assignment_score)) }),
    },
  ];
}

function days(from: Value | undefined, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(String(from))) / 86_400_000);
}

// Advice by student, the newest first.
function byStudent(advice: Advice[]): Map<string, Advice[]> {
  const found = new Map<string, Advice[]>();
  for (const one of advice) found.set(one.student, [...(found.get(one.student) ?? []), one]);
  return found;
}

export function Screen() {
  return advises() ? <Advised /> : <List advice={[]} />;
}

function Advised() {
  const { value, error } = useAdvice();
  if (!value && !error) return <p class="waiting">{t("loading")}</p>;
  return (
    <>
      {error && <Trouble error={error} />}
      <List advice={value?.advice ?? []} />
    </>
  );
}

function List({ advice }: { advice: Advice[] }) {
  const advised = byStudent(advice);
  const asked = rules().map((rule) => ({ rule, asked: useAnswer(rule.view, { ...rule.parameters, limit: MOST }) }));
  const people = gathered(asked.map(({ rule, asked: { answer } }) => ({ rule, rows: answer?.rows ?? [] })), new Set(advised.keys()));
  return (
    <>
      <form class="thresholds" onSubmit={(event) => event.preventDefault()}>
        {(Object.keys(THRESHOLDS) as Threshold[]).map((which) => (
          <label key={which}>
            {t(`threshold_${which}`)}{" "}
            <input type="number" min="0" max="1000" value={threshold(which)} onChange={(event) => choose(which, event.currentTarget.value)} />
          </label>
        ))}
      </form>
      <p class="about">{t("adviser_about", { day: shown(today.value, "DATE") })}</p>
      <dl class="figures">
        {asked.map(({ rule, asked: { answer, error, waiting } }) => (
          <div key={rule.title} data-view={rule.view} aria-busy={waiting}>
            <dt>{rule.title}</dt>
            <dd>
              {error && !answer ? <Trouble error={error} /> : answer ? (
                <a href={linkToRows(rule.view, rule.parameters)} aria-label={t("leads_to", { n: answer.total, what: rule.title })}>{number(answer.total)}</a>
              ) : "…"}
            </dd>
          </div>
        ))}
      </dl>
      <section class="panel wide" data-view="adviser" aria-busy={asked.some(({ asked: { waiting } }) => waiting)}>
        <h2>{t("people_to_see")}</h2>
        <p class="count">{t("people", { n: people.length })}</p>
        {people.length ? <People people={people.slice(0, SHOWN)} advice={advised} /> : <p class="empty">{t("nobody")}</p>}
        {people.length > SHOWN && <p class="about">{t("first_shown", { n: number(SHOWN) })}</p>}
        {asked.map(({ rule, asked: one }) => <Covers key={rule.view} asked={one} />)}
      </section>
      <Afterwards advice={advice} />
    </>
  );
}

// Who is new since yesterday stands first, then who nothing was done about, then who has most reasons.
export function gathered(found: { rule: Pick<Rule, "reason" | "fresh">; rows: Row[] }[], advised: ReadonlySet<string> = new Set()): Person[] {
  const people = new Map<string, Person>();
  for (const { rule, rows } of found)
    for (const row of rows) {
      const user = String(row.user_id);
      const person = people.get(user) ?? { user, courses: new Map(), reasons: 0, fresh: false };
      const fresh = rule.fresh?.(row) ?? false;
      const course = String(row.course_id);
      person.courses.set(course, [...(person.courses.get(course) ?? []), { text: rule.reason(row), fresh }]);
      person.reasons += 1;
      person.fresh ||= fresh;
      people.set(user, person);
    }
  return [...people.values()].sort((a, b) => Number(b.fresh) - Number(a.fresh) || Number(advised.has(a.user)) - Number(advised.has(b.user)) || b.reasons - a.reasons || (a.user < b.user ? -1 : 1));
}
