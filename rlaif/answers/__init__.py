"""How a reply is read: an option, a score, a ranking, a text, or the reason why it cannot be."""
