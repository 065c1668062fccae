"""What may be written next, and what is written as chips: the help of an editor.

What comes in: a text that is being written. What goes out: what may stand at a place in it, each
exclusion with its reason, and the text as chips and back. It must never have rules of its own: what
may stand somewhere is what the grammar accepts and the resolver does not refuse.
"""
