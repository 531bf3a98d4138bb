// What a student did, the newest first: moments that views tell, one below the other.
import { type Asked, useAnswer } from "../api/answer.ts";
import type { Parameters, Row } from "../api/client.ts";
import { linkTo } from "../route.ts";
import { type Name, number, shown, t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { stateOf } from "./states.tsx";

const MOST = 500;
const SHOWN = 40;
// Moments of each view, and what happened then.
const MOMENTS: [string, Record<string, Name>][] = [
  ["course_student_activity", { enrolled_on: "did_enrol", dropped_on: "did_leave", last_active: "was_active" }],
  ["video_student_activity", { first_watched: "did_watch_first", last_watched: "did_watch_last" }],
  ["assessment_student_work", { first_view: "did_open", first_submission: "did_submit", last_submission: "did_submit_again" }],
  ["course_material_access", { first_access: "did_read_first", last_access: "did_read_last" }],
];

export interface Moment {
  at: string;
  what: Name;
  course: string;
  of: string;
}

// What is the same moment as one before it in the same row is told once: the last time may be the first.
export function moments(rows: Row[], columns: Record<string, Name>): Moment[] {
  return rows.flatMap((row) => {
    const seen = new Set<string>();
    return Object.entries(columns).flatMap(([column, what]) => {
      const at = row[column];
      if (at === null || at === undefined || seen.has(String(at))) return [];
      seen.add(String(at));
      return [{ at: String(at), what, course: String(row.course_id), of: row.assignment_id ? String(row.assignment_id) : "" }];
    });
  });
}

export function Timeline({ student }: { student: string }) {
  const asked: Asked[] = MOMENTS.map(([view, columns]) => useAnswer(view, question(student, columns)));
  const open = asked.find(({ answer }) => !answer);
  const found = asked.flatMap(({ answer }, place) => moments(answer?.rows ?? [], MOMENTS[place]![1])).sort((a, b) => (a.at > b.at ? -1 : 1));
  return (
    <section class="panel" data-view="timeline" aria-busy={asked.some(({ waiting }) => waiting)}>
      <header><h2>{t("timeline")}</h2></header>
      <p class="about">{t("timeline_about")}</p>
      {open ? stateOf(open) : !found.length ? <p class="empty">{t("empty")}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("timeline")}>
          <ol class="timeline">
            {found.slice(0, SHOWN).map(({ at, what, course, of }, place) => (
              <li key={place}>
                <time dateTime={at}>{shown(at, at.length > 10 ? "TIMESTAMP" : "DATE")}</time>
                <span>{t(what, { what: of })} <a href={linkTo("course", course)}>{course}</a></span>
              </li>
            ))}
          </ol>
        </div>
      )}
      {found.length > SHOWN && <p class="about">{t("first_shown", { n: number(SHOWN) })}</p>}
      <Covers asked={asked} />
    </section>
  );
}

function question(student: string, columns: Record<string, Name>): Parameters {
  return { user_id: student, sort: `-${Object.keys(columns).at(-1)}`, limit: MOST };
}
