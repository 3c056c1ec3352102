"""How sensitive the search is to what nobody planned: random mutants of the evaluator that its unit tests kill."""
