"""The admin REST: for the people who run the service, with problem+json for what goes wrong."""
