"""Which version this is; the package takes its own from here."""

VERSION = "0.1.0"
