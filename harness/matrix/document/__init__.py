"""The document: tables from what was played, and sentences that a test holds to them."""
