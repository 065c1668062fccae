"""The Flight surface: server, tickets, batches and Flight SQL."""
