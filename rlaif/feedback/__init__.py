"""From prompts to preferences: respond, revise, pair, label."""
