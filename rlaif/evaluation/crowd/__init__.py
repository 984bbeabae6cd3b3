"""How far a crowd agrees, and who of it is to be trusted."""
