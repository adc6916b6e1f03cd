"""Find scar in late gadolinium enhancement cardiac MR, from text. Research use, not for diagnosis."""

__version__ = "0.16.0"
