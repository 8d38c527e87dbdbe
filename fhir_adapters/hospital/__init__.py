"""A hospital's own FHIR server: read, written to by what it can do, and kept in step with our store."""
