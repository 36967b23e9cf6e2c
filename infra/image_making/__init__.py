"""Images of a stack's workloads, built by hand: each with its digest and its bill of materials."""
