"""Reports: notebooks run without a screen, and the pages that show them."""
