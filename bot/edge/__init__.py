"""The edges: who calls us, and the one place at each where everything unexpected is caught."""
