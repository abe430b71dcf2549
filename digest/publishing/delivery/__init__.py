"""Delivery: claim, fill, hand over, write down; nobody twice."""
