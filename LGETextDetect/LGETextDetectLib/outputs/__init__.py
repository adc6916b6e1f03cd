"""What is written about a finished detection."""
