"""Nobody but this machine comes in without a key, or by a key that everyone knows."""

from __future__ import annotations

import pytest

from runtime.addresses import check_exposure
from runtime.settings import Settings, SettingsError

GOOD = {"AUTHENTICATION": "required", "MINIO_ACCESS_KEY": "platform-1", "MINIO_SECRET_KEY": "7d0b6f1ad8"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_be_let_in(host):
    check_exposure(host, Settings.load({"MINIO_SECRET_KEY": "minioadmin"}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.example"])
def test_others_need_a_key_that_is_no_samples(host):
    check_exposure(host, Settings.load(GOOD))
    with pytest.raises(SettingsError, match="AUTHENTICATION: must be 'required'"):
        check_exposure(host, Settings.load({**GOOD, "AUTHENTICATION": "local"}))
    with pytest.raises(SettingsError, match="MINIO_SECRET_KEY: must be no sample's"):
        check_exposure(host, Settings.load({**GOOD, "MINIO_SECRET_KEY": "MinioAdmin"}))
