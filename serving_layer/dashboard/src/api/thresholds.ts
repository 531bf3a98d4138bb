// From when on a student is somebody to see: each adviser's own, kept by the server; a link may say others.
import { signal } from "@preact/signals";
import { ApiError, send } from "./client.ts";
import { advised } from "./live.ts";
import { me } from "./me.ts";
import { useTold } from "./told.ts";
import { route, setParameters } from "../route.ts";

export const THRESHOLDS = ["quiet", "share", "open", "late", "materials", "grade"] as const;
export type Threshold = (typeof THRESHOLDS)[number];
export type Chosen = Record<Threshold, number>;

const MOST = 1000;
const changed = signal(0);

// What counts: what the address says, else what was kept. Nothing until it is known.
export function useThresholds(): { chosen?: Chosen; error?: ApiError } {
  const { value, error } = useTold<{ thresholds: Chosen }>("advice/thresholds", `${changed.value} ${advised.value}`);
  const kept = value?.thresholds;
  return { chosen: kept && within(kept, route.value.parameters), error };
}

export function within(kept: Chosen, told: Record<string, string>): Chosen {
  const named = THRESHOLDS.filter((which) => isOne(told[which])).map((which) => [which, Number(told[which])]);
  return { ...kept, ...Object.fromEntries(named) };
}

function isOne(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,4}$/.test(text) && Number(text) <= MOST;
}

// Null where it is kept. From then on it counts, whatever the address said.
export async function chooseThreshold(which: Threshold, text: string): Promise<ApiError | null> {
  if (!isOne(text)) return null;
  try {
    await send("advice/thresholds", { [which]: Number(text) }, me.value?.csrf ?? "", "PUT");
  } catch (error) {
    return error instanceof ApiError ? error : new ApiError(0, "network", "");
  }
  setParameters({ [which]: undefined });
  changed.value += 1;
  return null;
}
