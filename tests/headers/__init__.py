"""Headers of real kernels, and programs that use them: what a compiler and a kernel say."""
