"""The wire messages as protobuf classes, generated from `proto/flightframe/wire`.

Do not edit the modules in here: `make proto` writes them. They need the package `protobuf`, which
the server has and the thin client has not: nothing else in `flightframe` may import this package.
"""
