"""FHIR R4 as HL7 defines it: what a resource may contain, and what it can be searched by."""
