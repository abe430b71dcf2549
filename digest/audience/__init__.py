"""The life of a subscription: how people come onto a list, are kept, and leave it."""
