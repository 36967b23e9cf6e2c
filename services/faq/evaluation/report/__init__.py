"""An evaluation for people: lines for a terminal, a page with plots. Both are made of its JSON."""
