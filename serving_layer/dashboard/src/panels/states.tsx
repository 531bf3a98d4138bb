// What stands where numbers can't: waiting, nothing there, refused, out of reach.
import type { Asked } from "../api/answer.ts";
import type { ApiError } from "../api/client.ts";
import { t } from "../text/index.ts";

export function Trouble({ error, again }: { error: ApiError; again?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p>{told(error)}</p>
      {again && error.status !== 401 && error.status !== 403 && <button type="button" onClick={again}>{t("try_again")}</button>}
    </div>
  );
}

function told(error: ApiError): string {
  if (error.status === 0) return t("error_network");
  if (error.status === 401 || error.status === 403) return t("error_forbidden");
  if (error.status === 404) return t("error_gone", { detail: error.message });
  return t("error_server", { detail: error.message });
}

// The state of what was asked; null where there are rows to show.
export function stateOf(asked: Asked) {
  if (asked.error && !asked.answer) return <Trouble error={asked.error} again={asked.again} />;
  if (!asked.answer) return <p class="waiting">{t("loading")}</p>;
  if (!asked.answer.rows.length) return <p class="empty">{t("empty")}</p>;
  return null;
}
