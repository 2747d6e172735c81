"""The compose file, as far as it can be held without a Docker engine."""

import yaml

from homeiot_batch.config import ROOT, Settings, has_variable


def test_the_batch_is_given_every_documented_variable_and_no_other() -> None:
    """A variable that the compose file does not pass on could not be set in a container."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    documented = {
        name.upper() for name, field in Settings.model_fields.items() if has_variable(field)
    }
    assert set(compose["services"]["batch"]["environment"]) == documented | {"HOST_PATHS"}
