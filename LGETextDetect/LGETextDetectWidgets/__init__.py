"""What the panels of both Slicer modules are made of; needs Slicer (qt, slicer), never torch."""
