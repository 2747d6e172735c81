"""What the doctor finds of the readings where a server refuses to answer."""

from homeiot_batch.config import Settings
from homeiot_batch.doctor.readings import check_readings
from tests.doctor.findings import given
from tests.sources.stub_server import Answer, Question, serving
from tests.sources.stub_server import json as json_answer


def test_a_refused_question_is_no_missing_measurement(settings: Settings) -> None:
    """Where the server does not say which fields there are, its refusal is the finding."""
    policies = '{"results":[{"series":[{"columns":["name","default"],"values":[["p",true]]}]}]}'
    databases = '{"results":[{"series":[{"columns":["name"],"values":[["home"]]}]}]}'

    def answers(question: Question) -> Answer:
        if question.query.startswith("SHOW FIELD KEYS"):
            return json_answer('{"error": "no room\\u001b[31m"}', status=400)
        listing = databases if question.query == "SHOW DATABASES" else policies
        return json_answer(listing, X_Influxdb_Version="1.8.10")

    with serving(answers) as (url, _):
        findings = list(check_readings(given(settings, influx_url=url, influx_bucket="home")))
    refused = rf"{url} answered 400: no room\x1b[31m"
    assert [(finding.level, finding.name) for finding in findings] == [
        ("problem", "raw_meter_readings")
    ]
    assert findings[0].found == refused
