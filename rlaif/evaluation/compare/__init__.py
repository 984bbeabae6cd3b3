"""Methods side by side: what each gained, what it moved and what it took."""
