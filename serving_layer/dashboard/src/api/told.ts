// What a route that is no view tells: asked when its address changes, and again when `state` does.
import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "./client.ts";

export interface Told<T> {
  value?: T;
  error?: ApiError;
}

export function useTold<T>(url: string, state = ""): Told<T> {
  const [found, setFound] = useState<Told<T> & { url?: string }>({});
  useEffect(() => {
    const stop = new AbortController();
    get<T>(url, stop.signal).then(
      (value) => setFound({ url, value }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, "network", "");
        // What was told before stays, as it is the newest that is known.
        setFound((before) => ({ ...(before.url === url ? before : {}), url, error: told }));
      },
    );
    return () => stop.abort();
  }, [url, state]);
  return found.url === url ? found : {};
}
