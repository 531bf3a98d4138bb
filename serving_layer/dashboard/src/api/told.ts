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
      (error: unknown) => !stop.signal.aborted && setFound({ url, error: error instanceof ApiError ? error : new ApiError(0, "network", "") }),
    );
    return () => stop.abort();
  }, [url, state]);
  return found.url === url ? found : {};
}
