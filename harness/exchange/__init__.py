"""Stored answers in other forms: tables of ours that come back whole, and what other tools predicted."""
