"""What is in the kernel: programs, maps, links, pins and who holds them."""
