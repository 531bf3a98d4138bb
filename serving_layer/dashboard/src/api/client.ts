// The public API, and nothing but it.
export type Value = string | number | boolean | null;
export type Row = Record<string, Value>;
export type Vector = Record<string, number>;

export interface Cover {
  run: string | null;
  cut: Record<string, Vector>;
  head: Record<string, Vector>;
  watermark: string | null;
  lag_seconds: number | null;
}

export interface Answer {
  view: string;
  columns: string[];
  rows: Row[];
  total: number;
  next: string | null;
  as_of: Cover;
}

export interface Column {
  name: string;
  type: string;
  meaning: string;
}

export interface ViewInfo {
  name: string;
  topic: string;
  key: string[];
  columns: Column[];
}

export interface Freshness {
  run: string | null;
  published_at: string | null;
  cut: Record<string, Vector>;
  head: Record<string, Vector>;
  watermark: string | null;
  lag_seconds: number | null;
  ledger: Record<string, Record<string, Record<string, number>>>;
  speed_layer: string | null;
}

export type Parameters = Record<string, string | number | undefined>;

// What the API refuses, in its own words.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly subject: string,
    detail: string,
  ) {
    super(detail);
  }
}

export function address(path: string, parameters: Parameters = {}): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return query.length ? `${path}?${query.join("&")}` : path;
}

export function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(url, { signal, headers: { Accept: "application/json" } });
}

const waited = new Map<string, Promise<unknown>>();

// The same for everybody who asks it while it is waited for and `state` is the same: a page asks nothing twice at once.
export function shared<T>(url: string, state: string): Promise<T> {
  const name = `${state} ${url}`;
  let asked = waited.get(name);
  if (!asked) {
    asked = get<T>(url).finally(() => waited.delete(name));
    waited.set(name, asked);
  }
  return asked as Promise<T>;
}

// What changes something; `csrf` is what /me tells our own pages.
export function send<T>(url: string, body: unknown, csrf: string, method = "POST"): Promise<T> {
  return ask<T>(url, { method, headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf }, body: JSON.stringify(body) });
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "network", "");
  }
  if (!response.ok) {
    const told = (await response.json().catch(() => ({}))) as { name?: string; detail?: string };
    throw new ApiError(response.status, told.name ?? "server", told.detail ?? response.statusText);
  }
  return (await response.json()) as T;
}
