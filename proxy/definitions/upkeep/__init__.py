"""The supervisor's side of definitions: polled, admitted, kept and handed to the workers, one poller a project."""
