"""What operators do at the command line; each file is one group of commands."""
