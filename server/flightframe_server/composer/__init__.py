"""The composer: the algebra of frames, without input or output."""
