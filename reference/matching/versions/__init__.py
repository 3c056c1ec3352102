"""Semantic versions as the flag service reads them: lenient parsing in front of the strict rules of Rust's `semver` crate."""
