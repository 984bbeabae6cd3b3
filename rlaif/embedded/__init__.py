"""The model that comes along: where it is, what it can be asked, and the truth to check it by."""
