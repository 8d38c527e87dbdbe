"""Our own FHIR repository: resources with their history, due work, outbox and everything else that must survive."""
