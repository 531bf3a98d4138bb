// What the answers cover now, and which views have changed: told by the server as it happens, asked for where it can't be told.
import { signal } from "@preact/signals";
import { ApiError, type Freshness, get, type Vector, type ViewInfo } from "./client.ts";

const EVERY_MS = 1000;
// After so many questions the stream is tried again.
const TRIES_EVERY = 15;
const ADVICE_EVERY = 5;
// An open stream says something every five seconds; a broken one is opened again within one.
const SILENT_MS = 15_000;
const AWAY_MS = 4000;

export type Covers = Omit<Freshness, "cut" | "ledger">;
type Told = Covers & { changed: string[] | null };

export const freshness = signal<Covers | null>(null);
export const offline = signal<boolean>(false);
// The last error of asking for freshness: who isn't let in, isn't let in anywhere.
export const refused = signal<ApiError | null>(null);

// Changes when advisers have written something that who looks may read.
export const advised = signal("");

// How often each view may have changed, and all of them together, since the page was opened.
const epochs = signal<{ all: number; views: Record<string, number> }>({ all: 0, views: {} });

// What a view's rows depend on; another text means that they may differ.
export function stateOf(view: string | undefined): string {
  return view ? `${epochs.value.all}/${epochs.value.views[view] ?? 0}` : "";
}

// Take what the server says of itself. Without the views that have changed, it is those of the topics whose heads have moved.
export function take(now: Covers, known: Map<string, ViewInfo>, changed?: string[] | null): void {
  const before = freshness.value;
  freshness.value = now;
  if (!before) return;
  const { all, views: counts } = epochs.value;
  if (before.run !== now.run || offline.value) {
    epochs.value = { all: all + 1, views: counts };
    return;
  }
  const moved = changed ?? [...known.values()].filter(({ topic }) => differs(before.head[topic], now.head[topic])).map(({ name }) => name);
  if (moved.length) epochs.value = { all, views: { ...counts, ...Object.fromEntries(moved.map((name) => [name, (counts[name] ?? 0) + 1])) } };
}

function differs(before: Vector | undefined, now: Vector | undefined): boolean {
  return JSON.stringify(before) !== JSON.stringify(now);
}

// Whether the server has been asked what it covers: days are counted from its answer, so that screens wait for it.
export const begun = signal(false);

// Ask for the first time; who isn't let in is told so by whatever is asked next. What views there are, all screens ask.
export async function askFirst(): Promise<void> {
  views().catch(() => undefined);
  try {
    take(await get<Freshness>("freshness"), new Map());
  } catch {
    // The stream says it, or that it can't be had.
  }
  begun.value = true;
}

let stop: () => void = () => undefined;

// Follow the server while the page is seen: a hidden one holds no connection that others could use.
export function follow(): void {
  const begin = () => {
    stop();
    stop = document.hidden ? () => undefined : followStream();
  };
  document.addEventListener("visibilitychange", begin);
  begin();
}

// A stream, or questions where the server gives none; then a stream is tried again.
function followStream(): () => void {
  let rest = () => undefined as void;
  const begin = () => {
    const stream = new EventSource("changes");
    let silent: ReturnType<typeof setTimeout>;
    const expect = (ms: number) => {
      clearTimeout(silent);
      silent = setTimeout(() => (offline.value = true), ms);
    };
    rest = () => {
      clearTimeout(silent);
      stream.close();
    };
    stream.addEventListener("covers", (event) => {
      expect(SILENT_MS);
      const { changed, ...now } = JSON.parse((event as MessageEvent<string>).data) as Told;
      void views().then((known) => heard(now, known, changed), () => undefined);
    });
    stream.addEventListener("advice", (event) => {
      advised.value = (JSON.parse((event as MessageEvent<string>).data) as { mark: string }).mark;
    });
    stream.onerror = () => {
      expect(AWAY_MS);
      if (stream.readyState !== EventSource.CLOSED) return; // it asks again by itself
      rest();
      rest = poll(begin);
    };
  };
  begin();
  return () => rest();
}

function heard(now: Covers, known: Map<string, ViewInfo>, changed?: string[] | null): void {
  take(now, known, changed);
  offline.value = false;
  refused.value = null;
}

// Ask again and again; `turn` is called after so many times.
function poll(turn: () => void): () => void {
  let ended = false;
  let left = TRIES_EVERY;
  let again: ReturnType<typeof setTimeout>;
  const ask = async () => {
    try {
      heard(...(await Promise.all([get<Freshness>("freshness"), views()])));
    } catch (error) {
      const told = error instanceof ApiError ? error : new ApiError(0, "network", "");
      offline.value = told.status === 0 || told.status >= 500;
      refused.value = told.status === 401 || told.status === 403 ? told : null;
    }
    if (ended || refused.value) return;
    left -= 1;
    if (left % ADVICE_EVERY === 0) advised.value = `asked ${performance.now()}`;
    if (left) again = setTimeout(ask, EVERY_MS);
    else turn();
  };
  void ask();
  return () => {
    ended = true;
    clearTimeout(again);
  };
}

let asked: Promise<Map<string, ViewInfo>> | undefined;

// The views with their topics and the meaning of their columns; asked once.
export function views(): Promise<Map<string, ViewInfo>> {
  asked ??= get<{ views: ViewInfo[] }>("views").then(
    (found) => new Map(found.views.map((view) => [view.name, view])),
    (error: unknown) => {
      asked = undefined;
      throw error;
    },
  );
  return asked;
}
