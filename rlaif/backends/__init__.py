"""Where completions come from: a local model, an API, a store, a recording, a script."""
