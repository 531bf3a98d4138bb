"""Pages of other tools that operators are led to, as the setting OPERATOR_PAGES names them."""

from __future__ import annotations

from runtime.settings import Settings, SettingsError


def operator_pages(settings: Settings) -> list[dict[str, str]]:
    """`name` and `address` of each, in the order of the setting; SettingsError for what names no page."""
    found = []
    for told in filter(None, (part.strip() for part in (settings.operator_pages or "").split(","))):
        name, _, address = (part.strip() for part in told.partition("="))
        if not name or not address.startswith(("http://", "https://")):
            raise SettingsError(
                f"setting OPERATOR_PAGES: must be as Grafana=https://grafana.example, separated by commas; got {told!r}"
            )
        found.append({"name": name, "address": address})
    return found
