"""How the proxy tells what it does: structured logs now, traces and metrics later."""
