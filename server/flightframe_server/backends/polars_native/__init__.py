"""Plans as native Polars LazyFrames: no SQL, and nothing shared with the other ways to a number.

What comes in: the planner's logical queries and a folder of Parquet files. What goes out: lazy
frames that the streaming engine runs. It must never reuse what generates SQL or what composes
answers: where this agrees with them, three independent readings of the plan agree.
"""
