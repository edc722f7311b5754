"""An alert's story: intake, sync, redelivery, installations, follow-ups."""
