"""Messages in Slack: planned, drawn, posted and updated."""
