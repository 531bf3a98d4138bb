// Who may need a word, and why: rules over the views, with each adviser's thresholds.
import { useState } from "preact/hooks";
import { type Advice, advises, useAdvice } from "../api/advice.ts";
import { useAnswer } from "../api/answer.ts";
import type { ApiError } from "../api/client.ts";
import { seesCourses } from "../api/me.ts";
import { type Chosen, chooseThreshold, type Threshold, THRESHOLDS, useThresholds } from "../api/thresholds.ts";
import { daysBefore, today } from "../day.ts";
import { Afterwards } from "../panels/afterwards.tsx";
import { Covers } from "../panels/cover.tsx";
import { People } from "../panels/people.tsx";
import { counted, gathered, type Rule, rules } from "../panels/rules.ts";
import { Trouble } from "../panels/states.tsx";
import { linkToRows } from "./rows.tsx";
import { number, shown, t } from "../text/index.ts";

export const name = "adviser";
export const title = () => t("adviser");

const MOST = 1000;
const SHOWN = 200;
const MOST_DEADLINES = 200;

// Advice by student, the newest first.
function byStudent(advice: Advice[]): Map<string, Advice[]> {
  const found = new Map<string, Advice[]>();
  for (const one of advice) found.set(one.student, [...(found.get(one.student) ?? []), one]);
  return found;
}

export function Screen() {
  const { chosen, error } = useThresholds();
  if (error && !chosen) return <Trouble error={error} />;
  if (!chosen) return <p class="waiting">{t("loading")}</p>;
  return advises() ? <Advised chosen={chosen} /> : <List chosen={chosen} advice={[]} />;
}

function Advised({ chosen }: { chosen: Chosen }) {
  const { value, error } = useAdvice();
  if (!value && !error) return <p class="waiting">{t("loading")}</p>;
  return (
    <>
      {error && <Trouble error={error} />}
      <List chosen={chosen} advice={value?.advice ?? []} />
    </>
  );
}

function List({ chosen, advice }: { chosen: Chosen; advice: Advice[] }) {
  const day = today.value;
  const advised = byStudent(advice);
  // Deadlines stand in a view of courses, which advisers of single students don't see.
  const deadlines = useAnswer(seesCourses() ? "assessment_deadlines" : undefined, {
    due__gte: `${daysBefore(day, chosen.late)}T00:00:00Z`, due__lt: `${day}T00:00:00Z`, not_submitted__gt: 0, sort: "-due", limit: MOST_DEADLINES,
  });
  // As many questions each time, asked or not.
  const asked = rules(day, chosen, deadlines.answer?.rows ?? [])
    .map((rule) => ({ rule, asked: useAnswer(rule.idle ? undefined : rule.view, { ...rule.parameters, limit: MOST }) }));
  const open = asked.filter(({ rule }) => !rule.idle);
  const people = gathered(open.map(({ rule, asked: { answer } }) => ({ rule, rows: answer?.rows ?? [] })), new Set(advised.keys()));
  const waiting = (seesCourses() && deadlines.waiting) || open.some(({ asked: one }) => one.waiting);
  return (
    <>
      <Limits chosen={chosen} />
      <p class="about">{t("adviser_about", { day: shown(day, "DATE") })}</p>
      <dl class="figures">
        {open.map(({ rule, asked: { answer, error, waiting: busy } }) => (
          <div key={rule.title} data-view={rule.view} aria-busy={busy}>
            <dt>{rule.title}</dt>
            <dd>{error && !answer ? <Trouble error={error} /> : answer ? <Counted rule={rule} n={counted(rule, answer)} /> : "…"}</dd>
          </div>
        ))}
      </dl>
      <section class="panel wide" data-view="adviser" aria-busy={waiting}>
        <h2>{t("people_to_see")}</h2>
        <p class="count">{t("people", { n: people.length })}</p>
        {people.length ? <People people={people.slice(0, SHOWN)} advice={advised} /> : <p class="empty">{t("nobody")}</p>}
        {people.length > SHOWN && <p class="about">{t("first_shown", { n: number(SHOWN) })}</p>}
        <Covers asked={open.map(({ asked: one }) => one)} more={chosen} />
      </section>
      <Afterwards advice={advice} />
    </>
  );
}

function Counted({ rule: { view, parameters, title: what }, n }: { rule: Rule; n: number }) {
  return <a href={linkToRows(view, parameters)} aria-label={t("leads_to", { n, what })}>{number(n)}</a>;
}

// Thresholds, each kept as soon as it is changed.
function Limits({ chosen }: { chosen: Chosen }) {
  const [error, setError] = useState<ApiError | null>(null);
  return (
    <details class="panel limits">
      <summary>{t("thresholds")}</summary>
      <p class="about">{t("thresholds_about")}</p>
      <form class="thresholds" onSubmit={(event) => event.preventDefault()}>
        {THRESHOLDS.map((which: Threshold) => (
          <label key={which}>
            {t(`threshold_${which}`)}
            <input type="number" min="0" max="1000" value={chosen[which]} onChange={(event) => void chooseThreshold(which, event.currentTarget.value).then(setError)} />
          </label>
        ))}
      </form>
      {error && <Trouble error={error} />}
    </details>
  );
}
