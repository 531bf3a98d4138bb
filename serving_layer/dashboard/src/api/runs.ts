// The kept run of about a week ago, beside which today's figures stand.
import { freshness } from "./live.ts";
import { useTold } from "./told.ts";
import { route } from "../route.ts";

export interface Run {
  run: string;
  published_at: string;
  serves: boolean;
  events: number;
}

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;

export function useRuns() {
  return useTold<{ runs: Run[] }>("runs", freshness.value?.run ?? "");
}

// The run whose age is nearest to a week before `now`; none where all are of the same day.
export function aWeekBefore(runs: Run[], now: string): Run | undefined {
  const age = ({ published_at }: Run) => (Date.parse(now) - Date.parse(published_at)) / DAY_MS;
  const off = (run: Run) => Math.abs(age(run) - WEEK_DAYS);
  return runs.filter((run) => age(run) >= 1).sort((a, b) => off(a) - off(b))[0];
}

// Nothing where the page is pinned to a run: it stays as it was.
export function useWeekAgo(): Run | undefined {
  const { value } = useRuns();
  const serving = value?.runs.find(({ serves }) => serves);
  return serving && !route.value.parameters.run ? aWeekBefore(value!.runs, serving.published_at) : undefined;
}
