"""Replies that talk to the judge, and what reads them."""
