"""The bot decides: it takes what GitHub and Slack say, asks who may do what, and acts."""
