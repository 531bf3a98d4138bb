// What the answers cover now. When a topic's head or the run moves, what is shown of that topic is asked again.
import { signal } from "@preact/signals";
import { ApiError, type Freshness, get, type ViewInfo } from "./client.ts";

const EVERY_MS = 1000;

export const freshness = signal<Freshness | null>(null);
export const offline = signal<boolean>(false);

export function followFreshness(): void {
  const ask = async () => {
    try {
      if (!document.hidden) freshness.value = await get<Freshness>("freshness");
      offline.value = false;
    } catch (error) {
      offline.value = !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
    }
    setTimeout(ask, EVERY_MS);
  };
  void ask();
}

// What a view's rows depend on: the published run, and how far its topic is followed.
export function stateOf(topic: string | undefined, now: Freshness | null): string {
  return topic && now ? `${now.run} ${JSON.stringify(now.head[topic] ?? {})}` : "";
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
