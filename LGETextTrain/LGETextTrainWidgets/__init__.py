"""Parts of the training panel."""
