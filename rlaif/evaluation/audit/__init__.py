"""How far a judge is to be trusted, from its labels: slots, length, kin, repeats, surety, rules."""
