"""What answers /query and is no InfluxDB: VictoriaMetrics.

It is played. Its answer was taken from 1.79.5 and 1.136.23, which were run.
"""

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.finding import problem
from homeiot_batch.doctor.source import check_source
from homeiot_batch.errors import SourceError
from tests.sources.influxdb.reading import rows
from tests.sources.stub_server import Answer, json, serving


@pytest.mark.parametrize("databases", ['["_internal"]', '["home_energy"]', '["a"],["home_energy"]'])
def test_victoriametrics(dataset: Dataset, day: LocalDay, databases: str) -> None:
    """It gives its list of databases to every question: refused in one line, whatever it lists."""
    listing = json(
        '{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],'
        f'"values":[{databases}]}}]}}]}}',
        X_Influxdb_Version="1.8.0",
        X_Server_Hostname="vm",
    )
    ping = Answer((), 204, {"X-Server-Hostname": "vm"})
    with serving(lambda question: ping if question.path == "/ping" else listing) as (url, _):
        with pytest.raises(SourceError) as caught:
            rows(url, dataset, day)
        found = list(check_source(load_settings({"influx_url": url})))
    said = (
        f"{url} answers every question with a list of databases, as VictoriaMetrics does, so no "
        "reading can be asked for"
    )
    what_to_do = "name an InfluxDB or an export in INFLUX_URL"
    assert str(caught.value) == f"{said}; {what_to_do}"
    assert found == [problem("server", said, what_to_do)]
