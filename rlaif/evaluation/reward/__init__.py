"""A reward model, looked at before a policy learns from it."""
