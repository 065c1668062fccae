"""Ratios between this server and others that answer the same question, measured side by side.

What comes in: how long, and with how many clients. What goes out: for each path the times of each
side, and how they compare. It must never time an answer whose values it did not check, nor tell an
absolute time as if it were one of another machine.
"""
