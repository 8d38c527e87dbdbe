"""Our FHIR R4 REST API over any `pathway.ports.Store` (https://hl7.org/fhir/R4/http.html)."""
