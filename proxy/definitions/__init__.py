"""Flag definitions: fetched, admitted, kept on disk and in memory, and evaluated here."""
