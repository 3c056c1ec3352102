"""HTTP flags servers behind the JSON lines protocol: ours behind a proxy, the proxy alone, or any whose file we may write.

`python -m harness.subjects.drivers.http_server proxy | proxy-local | URL DEFINITIONS_FILE`
"""
