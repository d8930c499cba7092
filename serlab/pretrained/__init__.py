"""What others trained: speech encoders and ImageNet weights."""
