// A distribution: how many students have a mean in each band, as the course's bands tell; a bar leads to them.
import { useMemo } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Parameters, Row } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { columns } from "../charts/options.ts";
import { linkToRows } from "../screens/rows.tsx";
import { number, t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { Frame, Scroll } from "./frame.tsx";
import { stateOf } from "./states.tsx";

const STUDENTS = "assessment_student_overall_performance";

export interface BandsProps {
  title: string;
  about: string;
  course: string;
  // The bands are the columns `quiz_from_0`, `quiz_from_2`, …; `mean` is the column of the students' view that they are about.
  of: string;
  mean: string;
  unit: string;
}

export function Bands({ title, about, course, of, mean, unit }: BandsProps) {
  const asked = useAnswer("assessment_result_bands", { course_id: course, limit: 1 });
  const rows = useMemo(() => bands(asked.answer?.rows[0], of), [asked.answer, of]);
  const option = useMemo(() => columns(rows, "band", unit, "students", t("students")), [rows, unit]);
  const none = rows.every(({ students }) => students === 0);
  const leadTo = ({ from, below }: Band) => linkToRows(STUDENTS, { course_id: course, ...within(mean, from, below) });
  const lead = (name: string) => {
    const picked = rows.find(({ band }) => band === name);
    if (picked) location.hash = leadTo(picked);
  };
  return (
    <Frame
      title={title} about={about} name={`${of}_bands`} busy={asked.waiting}
      state={stateOf(asked) ?? (none ? <p class="empty">{t("empty")}</p> : null)}
      chart={() => <Chart label={`${title}. ${about}`} option={option} onPick={lead} />}
      table={() => (
        <Scroll label={title}>
          <thead>
            <tr><th scope="col">{unit}</th><th scope="col" class="figure">{t("students")}</th></tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.band}>
                <th scope="row">{row.band}</th>
                <td class="figure"><a href={leadTo(row)}>{number(row.students)}</a></td>
              </tr>
            ))}
          </tbody>
        </Scroll>
      )}
    >
      <Covers asked={asked} />
    </Frame>
  );
}

type Band = { band: string; from: number; below?: number; students: number };

// The last band has no end.
export function bands(row: Row | undefined, of: string): Band[] {
  const start = `${of}_from_`;
  const begins = Object.keys(row ?? {}).filter((name) => name.startsWith(start)).map((name) => Number(name.slice(start.length)));
  return begins.sort((a, b) => a - b).map((from, place, all) => {
    const below = all[place + 1];
    return { band: below === undefined ? `≥ ${from}` : `${from}–${below}`, from, below, students: Number(row![`${start}${from}`]) };
  });
}

function within(column: string, from: number, below?: number): Parameters {
  return { [`${column}__gte`]: from, [`${column}__lt`]: below };
}
