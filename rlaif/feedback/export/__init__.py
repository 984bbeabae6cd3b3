"""Write preferences as other tools read them; what does not come back is said."""
