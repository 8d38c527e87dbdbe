"""When it happens: due work, calendars and the duties that run by themselves."""
