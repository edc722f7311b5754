"""The version; the package takes its own from here."""

VERSION = "0.2.0"
