"""One module per item set: what is asked, with labels and groups, and what its manifest says."""
