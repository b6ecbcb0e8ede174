"""Operations of MAX's functional interface, computed at once, without a graph."""
