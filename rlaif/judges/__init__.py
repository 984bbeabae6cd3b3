"""Who decides, and how: judges made of a backend and a template, and judges made of judges."""
