"""Published recordings of judges, read again and put beside what was read of them then."""
