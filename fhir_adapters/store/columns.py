"""The tables as SQLAlchemy Core knows them: the ORM costs too much on hot paths."""

from __future__ import annotations

from fhir_adapters.store.tables import METADATA

hospital = METADATA.tables["hospital"]
resource = METADATA.tables["resource"]
resource_version = METADATA.tables["resource_version"]
search_value = METADATA.tables["search_value"]
identity = METADATA.tables["identity"]
link = METADATA.tables["link"]
outbox = METADATA.tables["outbox"]
received = METADATA.tables["received"]
cursor = METADATA.tables["cursor"]
due = METADATA.tables["due"]
explanation = METADATA.tables["explanation"]
quarantine = METADATA.tables["quarantine"]
alert = METADATA.tables["alert"]
alert_call = METADATA.tables["alert_call"]
alert_route = METADATA.tables["alert_route"]
feed_token = METADATA.tables["feed_token"]
audit = METADATA.tables["audit"]
downtime = METADATA.tables["downtime"]
heartbeat = METADATA.tables["heartbeat"]
