"""Regular expressions with the meaning they have in the flag service (Rust's `fancy-regex`), proven or not answered."""
