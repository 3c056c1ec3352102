"""What a request says: its body and its query, read the way the flag service reads them, and how strictly that went."""
