"""People: who they are, which roles they have on GitHub, and which alerts they may see."""
