"""Back-ends: the databases that answer a plan, behind one protocol."""
