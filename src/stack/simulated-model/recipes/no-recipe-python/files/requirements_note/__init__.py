"""Records requirements that the simulated model has no recipe for."""
