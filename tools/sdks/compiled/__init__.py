"""SDKs of compiled languages: each installer compiles the subject's driver against the locked SDK, into `<lane>/driver`.

A module here has `require()`, which raises `Unavailable` when the compiler is missing, and `install(lane)`, which fills the
lane's empty folder. It downloads through the language's own client, against hashes that its lock holds.
"""
