"""Who may ask: credentials checked, tokens issued, and where a server may listen without either."""
