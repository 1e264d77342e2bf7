"""The network of a ServImage checkpoint in PyTorch, for the benchmarks."""
