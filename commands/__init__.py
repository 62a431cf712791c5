"""The command line of bpfctl: arguments in, tables or JSON out, exit codes."""
