"""Flag definitions: the frozen model, the parser that builds it, and the dependency graph between flags."""
