// An answer that stays current: asked when the question changes, and again when its topic has new events.
import { useEffect, useState } from "preact/hooks";
import { type Answer, ApiError, address, get, type Parameters, type ViewInfo } from "./client.ts";
import { freshness, stateOf, views } from "./live.ts";
import { route } from "../route.ts";

export interface Asked {
  question: string;
  info?: ViewInfo;
  answer?: Answer;
  error?: ApiError;
  waiting: boolean;
}

// `undefined` as the view asks nothing.
export function useAnswer(view: string | undefined, parameters: Parameters): Asked {
  const run = route.value.parameters.run;
  const question = view ? address(`views/${view}`, { ...parameters, as_of_run: run }) : "";
  const [found, setFound] = useState<Asked>({ question, waiting: true });
  const state = run ? "" : stateOf(found.info?.topic, freshness.value);
  useEffect(() => {
    if (!view) return;
    const stop = new AbortController();
    const same = found.question === question;
    if (!same) setFound({ question, waiting: true });
    Promise.all([get<Answer>(question, stop.signal), views()]).then(
      ([answer, known]) => setFound({ question, answer, info: known.get(view), waiting: false }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, "network", "");
        setFound((before) => ({ ...(same ? before : {}), question, error: told, waiting: false }));
      },
    );
    return () => stop.abort();
  }, [question, state]);
  return found.question === question ? found : { question, waiting: true };
}
