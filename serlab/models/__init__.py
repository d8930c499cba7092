"""Networks: one architecture a file, and nothing but the architecture."""
