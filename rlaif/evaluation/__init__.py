"""Whether behaviour moved: suites, counted traits, win rates, agreement, the report."""
