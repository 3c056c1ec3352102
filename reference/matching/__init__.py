"""Does one property satisfy one filter? Operators and the coercions, dates, versions and patterns they need.

Answers have four kinds: `True`, `False`, `INVALID` (the filter or the property cannot be compared: a mismatch wherever a
boolean is needed, even under a negative operator), and an `Unsure` that says what was not known.
"""
