"""Who somebody is, and what GitHub lets them do and see."""
