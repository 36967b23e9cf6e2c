"""How good a matcher is on questions that it has not learnt from, and what that is worth."""
