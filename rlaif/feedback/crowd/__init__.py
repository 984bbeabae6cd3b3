"""Many people's answers about the same items: read as given, and pooled into probabilities."""
