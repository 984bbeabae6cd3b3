"""An experiment file, its stages, and what is fresh, stale or half written."""
