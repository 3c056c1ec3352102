"""The real SDKs that tests and the harness run against, installed at exact versions under `.lanes/`.

`python -m tools.sdks` installs what is missing; nothing else downloads anything, and no test does at import.
"""
