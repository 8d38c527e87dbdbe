"""How FHIR is reached: our store, our server, and the hospitals' servers."""
