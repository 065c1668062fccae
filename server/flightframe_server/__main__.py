"""`python -m flightframe_server`: the command line without its script."""

from flightframe_server.cli import main

if __name__ == "__main__":
    main()
