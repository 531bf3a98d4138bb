// Days as the views count them, in UTC: told from the newest event's arrival, so that a page about last year is not all quiet.
import { computed } from "@preact/signals";
import { freshness } from "./api/live.ts";

const DAY_MS = 86_400_000;

// The day up to which is counted, as `2026-03-01`.
export const today = computed(() => (freshness.value?.watermark ?? new Date().toISOString()).slice(0, 10));

// The conditions that a moment is on a day.
export function onDay(column: string, day: string): Record<string, string> {
  return { [`${column}__gte`]: `${day}T00:00:00Z`, [`${column}__lt`]: `${daysBefore(day, -1)}T00:00:00Z` };
}

export function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);
}
