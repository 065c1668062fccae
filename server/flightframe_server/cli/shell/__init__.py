"""The prompt of `flightframe shell`: completion, history, answers with where they came from."""
