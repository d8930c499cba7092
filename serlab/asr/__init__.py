"""Speech recognition, as far as it is needed to pretrain networks: units, graphs, losses, error rates."""
