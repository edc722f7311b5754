"""The stories of Stanch, each told in numbered steps."""
