"""The algebra of numbers: types, reducers and row functions, each as a table.

What comes in: nothing, these are tables. What goes out: rows that catalog, resolver, planner,
composer, back-ends and documentation read alike. It must never import another layer but `errors`,
nor compute a value.
"""
