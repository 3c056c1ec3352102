"""What a request says: bytes, query and headers → values, or the `Refusal` to answer (contract §1.5, §2). Pure."""
