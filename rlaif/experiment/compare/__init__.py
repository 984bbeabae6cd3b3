"""Methods side by side: one start, one reward, one set of prompts, equal budgets, several seeds."""
